using Gateway.Catalog;
using Gateway.Catalog.Drift;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Tests.Observability;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Catalog.Drift;

public sealed class PriceDriftTests
{
    private const int Differ = 4101;
    private const int Agree = 4102;

    private static readonly Period Month = Given.Period("month", 1);
    private static readonly Period Year = Given.Period("year", 1);

    private readonly TestClock _time = new();
    private readonly LogRecorder<PriceDrift> _log = new();
    private readonly PriceDrift _drift;

    public PriceDriftTests() => _drift = new PriceDrift(_time, _log);

    [Fact]
    public void Two_prices_of_one_currency_and_period_that_differ_are_listed_and_said()
    {
        Observe(Listed(1000), Price("9.99"));

        var item = Assert.Single(_drift.Items);
        Assert.Equal(
            ("plan-EUR-m", "plan-EUR-m", "US", "EUR", "P1M", "10.00", 1000, "9.99", 999),
            (item.Id, item.Sku, item.Country, item.Currency, item.Period, item.ListAmount, item.ListAmountMinor, item.PriceAmount, item.PriceAmountMinor));
        Assert.Equal(_time.GetUtcNow(), item.SeenAt);
        Assert.Equal(
            (Differ, LogLevel.Warning, "The price of plan-EUR-m in US differs: Billing lists 10.00, Paymentwall asks 9.99 EUR per P1M"),
            Assert.Single(_log.Lines));
    }

    [Fact]
    public void Prices_that_agree_are_not_listed()
    {
        Observe(Listed(999), Price("9.99"));

        Assert.Empty(_drift.Items);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_cannot_be_compared_is_not()
    {
        Observe(Listed(1000), Price("9.99", "USD"));
        Observe(Listed(1000), Price("9.99", period: Year));
        Observe(Listed(1000), Price("9.99", period: null));
        Observe(Listed(1000) with { BillingPeriod = null }, Price("9.99"));
        Observe(Listed(1000) with { PriceMinor = null }, Price("9.99"));
        Observe(Listed(1000) with { Id = "plan-of-no-currency" }, Price("9.99"));

        Assert.Empty(_drift.Items);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void What_is_paid_once_is_compared_too()
    {
        Observe(Listed(1000) with { BillingPeriod = null }, Price("9.99", period: null));

        Assert.Null(Assert.Single(_drift.Items).Period);
    }

    [Fact]
    public void After_a_trial_what_follows_is_compared_and_the_trial_is_not()
    {
        var trial = Price("0.50", period: Given.Period("week", 1)) with { IsTrial = true, PostTrialSku = "then" };
        Observe(Listed(1000), trial, Price("10.00"));
        Assert.Empty(_drift.Items);

        Observe(Listed(1000), trial, Price("9.99"));

        Assert.Equal(("then", 999), (Assert.Single(_drift.Items).Sku, _drift.Items[0].PriceAmountMinor));
    }

    [Theory]
    [InlineData("notFound")]
    [InlineData("unavailable")]
    public void Where_it_is_not_known_what_follows_a_trial_nothing_is_compared(string then)
    {
        var trial = Price("0.50") with { IsTrial = true, PostTrialSku = "then" };

        Observe(Listed(1000), Given.Found(trial), then == "notFound" ? Given.NotFound() : Given.Failed(UpstreamFailure.Timeout));

        Assert.Empty(_drift.Items);
    }

    [Fact]
    public void A_difference_is_said_and_counted_once_and_again_when_it_is_another()
    {
        using var metrics = new MetricRecorder();
        Observe(Listed(1000), Price("9.99"));
        Observe(Listed(1000), Price("9.99"));
        Assert.Equal([Differ], _log.Ids);

        Observe(Listed(1000), Price("8.88"));
        Observe(Listed(1100), Price("8.88"));
        Observe(Listed(1100), Price("8.88"));

        Assert.Equal([Differ, Differ, Differ], _log.Ids);
        Assert.Equal(3, metrics.Of("gateway.price_drift.changes").Sum());
        Assert.Equal((1100, 888), (Assert.Single(_drift.Items).ListAmountMinor, _drift.Items[0].PriceAmountMinor));
    }

    [Fact]
    public void Agreement_takes_it_off_the_list_and_is_said_once()
    {
        Observe(Listed(1000), Price("9.99"));
        Observe(Listed(1000), Price("10.00"));
        Observe(Listed(1000), Price("10.00"));

        Assert.Empty(_drift.Items);
        Assert.Equal(0, _drift.Count);
        Assert.Equal([Differ, Agree], _log.Ids);
    }

    [Fact]
    public void A_price_that_is_just_not_there_leaves_what_is_known()
    {
        Observe(Listed(1000), Price("9.99"));
        Observe(Listed(1000), Given.Failed(UpstreamFailure.Timeout));
        Observe(Listed(1000), UpstreamResult.Of<PaymentwallProduct?>(Price("10.00"), staleAsOf: _time.GetUtcNow()));

        Assert.Single(_drift.Items);
        Assert.Equal([Differ], _log.Ids);
    }

    [Fact]
    public void Countries_are_items_of_their_own()
    {
        Observe(Listed(1000), Given.Found(Price("9.99")), request: Given.Request() with { Country = "FR" });
        Observe(Listed(1000), Given.Found(Price("9.99")), request: Given.Request() with { Country = "DE" });

        Assert.Equal(["DE", "FR"], _drift.Items.Select(item => item.Country));
    }

    [Fact]
    public void Test_data_other_statuses_and_answers_without_prices_say_nothing()
    {
        Observe(Listed(1000), Given.Found(Price("9.99")), request: Given.Request() with { Sandbox = true });
        Observe(Listed(1000), Given.Found(Price("9.99")), request: Given.Request() with { Status = "archived" });
        Observe(Listed(1000), Given.Found(Price("9.99")), request: Given.Request() with { Prices = PriceMode.Skip });
        Observe(Listed(1000), Given.NotFound(), request: Given.Request() with { Sandbox = true });

        Assert.Empty(_drift.Items);
        Assert.Empty(_drift.NotFound);
    }

    [Fact]
    public void A_SKU_that_is_not_sold_in_a_country_is_a_gap_until_it_is()
    {
        Observe(Listed(1000), Given.NotFound());
        var gap = Assert.Single(_drift.NotFound);
        Assert.Equal(("plan-EUR-m", "plan-EUR-m", "US"), (gap.Id, gap.Sku, gap.Country));

        Observe(Listed(1000), Given.Failed(UpstreamFailure.Timeout));
        Assert.Single(_drift.NotFound);

        Observe(Listed(1000), Price("10.00"));
        Assert.Empty(_drift.NotFound);
        Assert.Empty(_drift.WithoutSku);
    }

    [Fact]
    public void A_component_that_no_SKU_is_mapped_to_is_one_gap_for_all_countries_until_one_is()
    {
        foreach (var country in new[] { "US", "FR" })
        {
            Observe(Listed(1000), Given.NotFound(), request: Given.Request() with { Country = country }, unmapped: "plan-EUR-m");
        }

        var gap = Assert.Single(_drift.WithoutSku);
        Assert.Equal(("plan-EUR-m", null, null), (gap.Id, gap.Sku, gap.Country));
        Assert.Empty(_drift.NotFound);

        Observe(Listed(1000), Price("10.00"));
        Assert.Empty(_drift.WithoutSku);
    }

    [Fact]
    public void What_has_not_been_seen_for_a_day_is_forgotten_by_the_list_and_by_the_gauge()
    {
        Observe(Listed(1000), Price("9.99"));
        Observe(Listed(1000) with { Id = "unsold" }, Given.NotFound());
        _time.Advance(TimeSpan.FromHours(23));
        Observe(Listed(1000) with { Id = "other-EUR-m" }, Price("9.99"));
        _time.Advance(TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));

        // The gauge first: whoever watches it may never open the list.
        Assert.Equal(1, _drift.Count);
        Assert.Equal("other-EUR-m", Assert.Single(_drift.Items).Id);
        Assert.Empty(_drift.NotFound);
    }

    [Fact]
    public void What_is_seen_again_is_not_forgotten()
    {
        Observe(Listed(1000), Price("9.99"));
        _time.Advance(TimeSpan.FromHours(23));
        Observe(Listed(1000), Price("9.99"));
        _time.Advance(TimeSpan.FromHours(23));

        Assert.Single(_drift.Items);
        Assert.Equal([Differ], _log.Ids);
    }

    [Fact]
    public void There_is_a_bound_and_what_is_forgotten_makes_room()
    {
        ObserveMany(PriceDrift.MostEntries + 10, "old");
        Assert.Equal(PriceDrift.MostEntries, _drift.Count);
        Assert.Equal(PriceDrift.MostEntries, _log.Ids.Count);

        // Nobody has looked at the list in between.
        _time.Advance(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
        ObserveMany(10, "new");

        Assert.Equal(10, _drift.Count);
        Assert.Equal(PriceDrift.MostEntries + 10, _log.Ids.Count);
    }

    [Fact]
    public async Task Answers_put_together_at_once_say_a_difference_once()
    {
        const int Answers = 16;
        for (var round = 0; round < 50; round++)
        {
            var id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"plan{round}-EUR-m");
            var response = Answer(Given.Request(), Listed(1000) with { Id = id }, Given.Found(Price("9.99")));
            using var start = new Barrier(Answers);
            await Task.WhenAll(Enumerable.Range(0, Answers).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait(TestContext.Current.CancellationToken);
                    _drift.Observe(Given.Request(), response);
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
        }

        Assert.Equal(50, _log.Lines.Count);
    }

    private static BillingComponent Listed(long minor) => Given.Component("plan-EUR-m") with { PriceMinor = minor, BillingPeriod = Month };

    private static PaymentwallProduct Price(string amount, string currency = "EUR") => Price(amount, currency, Month);

    private static PaymentwallProduct Price(string amount, Period? period) => Price(amount, "EUR", period);

    private static PaymentwallProduct Price(string amount, string currency, Period? period) => Given.Product(amount, currency) with { Period = period };

    private void Observe(BillingComponent component, PaymentwallProduct price, PaymentwallProduct? then = null) =>
        Observe(component, Given.Found(price), then is null ? null : Given.Found(then));

    private void Observe(
        BillingComponent component, UpstreamResult<PaymentwallProduct?> price, UpstreamResult<PaymentwallProduct?>? then = null,
        CatalogRequest? request = null, string? unmapped = null)
    {
        var asked = request ?? Given.Request();
        _drift.Observe(asked, Answer(asked, component, price, then, unmapped));
    }

    private static CatalogResponse Answer(
        CatalogRequest request, BillingComponent component, UpstreamResult<PaymentwallProduct?> price, UpstreamResult<PaymentwallProduct?>? then = null,
        string? unmapped = null)
    {
        var prices = new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal) { [component.Id] = price };
        if (then is not null)
        {
            prices["then"] = then;
        }

        var rules = Given.Rules(options =>
        {
            if (unmapped is not null)
            {
                options.SkuMap[unmapped] = string.Empty;
            }
        });
        return CatalogMerge.Merge(request, [new ProductListing("p", [component])], prices, rules);
    }

    private void ObserveMany(int count, string prefix)
    {
        var components = Enumerable.Range(0, count).Select(number => Listed(1000) with { Id = $"{prefix}-{number}-EUR-m" }).ToList();
        var prices = components.ToDictionary(component => component.Id, _ => Given.Found(Price("9.99")), StringComparer.Ordinal);
        _drift.Observe(Given.Request(), CatalogMerge.Merge(Given.Request(), [new ProductListing("p", components)], prices, Given.Rules()));
    }
}
