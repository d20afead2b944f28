using System.Text.Json;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Catalog;

public sealed class CatalogMergeTests
{
    private readonly Dictionary<string, UpstreamResult<PaymentwallProduct?>> _prices = new(StringComparer.Ordinal);

    private CatalogRequest _request = Given.Request();

    [Fact]
    public void The_example_of_the_design_comes_out_as_it_is_written_there()
    {
        const string Id = "builtfor_example-pro-EUR-monthly";
        _prices[Id] = Given.Found(new PaymentwallProduct
        {
            Name = "Pro",
            Price = Given.Money("9.99", "USD"),
            Period = Given.Period("month", 1),
            Recurring = true,
        });
        var component = new BillingComponent
        {
            Id = Id,
            ProductId = "builtfor_example",
            GroupId = "builtfor_example-pro",
            Type = "plan",
            Status = "active",
            PricingModel = "flat_fee",
            PriceMinor = 1000,
            BillingPeriod = Given.Period("month", 1),
            TrialPeriod = Given.Period("day", 10),
        };

        var response = Merge(null, new ProductListing("builtfor_example", [component]));

        const string Expected = """
            {
              "context": { "country": "US", "countrySource": "query", "lang": "en", "sandbox": false },
              "completeness": { "complete": true, "components": 1, "priced": 1, "stale": 0, "notFound": 0, "unavailable": 0, "failedProducts": [] },
              "items": [ {
                  "id": "builtfor_example-pro-EUR-monthly", "productId": "builtfor_example", "groupId": "builtfor_example-pro",
                  "type": "plan", "status": "active", "name": "Pro", "description": null, "features": [],
                  "billing": { "pricingModel": "flat_fee", "usageBased": false,
                               "period": { "unit": "month", "count": 1, "iso": "P1M" },
                               "trial": { "unit": "day", "count": 10, "iso": "P10D" },
                               "freeQuantity": 0, "mandatoryComponentIds": [], "tiers": [],
                               "listPrice": { "amountMinor": 1000, "amount": "10.00", "currency": "EUR", "exponent": 2 } },
                  "price": { "status": "live", "source": "paymentwall", "sku": "builtfor_example-pro-EUR-monthly",
                             "amountMinor": 999, "amount": "9.99", "currency": "USD", "exponent": 2,
                             "period": { "unit": "month", "count": 1, "iso": "P1M" }, "recurring": true,
                             "trial": null, "compareAt": null, "asOf": null, "reason": null } } ],
              "total": 1
            }
            """;
        using var expected = JsonDocument.Parse(Expected);
        Assert.Equal(JsonSerializer.Serialize(expected), Given.Json(response));
    }

    [Theory]
    [InlineData(3L, 3L)]
    [InlineData(null, 0L)]
    public void What_is_free_is_what_Billing_says_and_else_nothing(long? free, long expected) =>
        Assert.Equal(expected, Only(Merge(Given.Component() with { FreeQuantity = free })).Billing.FreeQuantity);

    [Fact]
    public void A_SKU_that_Paymentwall_does_not_sell_here_is_not_found_and_the_answer_complete()
    {
        _prices["c"] = Given.NotFound();

        var response = Merge(Given.Component());

        var price = Only(response).Price;
        AssertNoAmount(price, PriceStatus.NotFound, "c", reason: null);
        Assert.Equal((true, 1, 0, 1, 0), Counts(response));
    }

    [Fact]
    public void A_component_without_a_SKU_is_not_found_with_a_null_SKU()
    {
        var response = Merge(options => options.SkuMap["c"] = string.Empty, new ProductListing("p", [Given.Component()]));

        AssertNoAmount(Only(response).Price, PriceStatus.NotFound, sku: null, reason: null);
        Assert.Equal((true, 1, 0, 1, 0), Counts(response));
    }

    [Theory]
    [InlineData("timeout")]
    [InlineData("unreachable")]
    [InlineData("rejected")]
    [InlineData("badPayload")]
    [InlineData("throttled")]
    [InlineData("circuitOpen")]
    public void Catalog_keeps_an_item_whose_price_is_unavailable_and_says_why(string reason)
    {
        var failure = Enum.Parse<UpstreamFailure>(reason, ignoreCase: true);
        _prices["c"] = Given.Failed(failure);

        var response = Merge(Given.Component());

        AssertNoAmount(Only(response).Price, PriceStatus.Unavailable, "c", failure);
        Assert.Equal((false, 1, 0, 0, 1), Counts(response));
        using var json = JsonDocument.Parse(Given.Json(response));
        Assert.Equal(reason, json.RootElement.GetProperty("items")[0].GetProperty("price").GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("circuitOpen", "timeout")]
    [InlineData("throttled", null)]
    public void A_circuit_that_is_open_says_what_opened_it(string reason, string? cause)
    {
        _prices["c"] = Given.Failed(Enum.Parse<UpstreamFailure>(reason, ignoreCase: true));
        _prices["d"] = Trial("c");

        var response = CatalogMerge.Merge(
            _request, [new ProductListing("p", [Given.Component(), Given.Component("d")])], _prices, Given.Rules(_ => { }), UpstreamFailure.Timeout);

        using var json = JsonDocument.Parse(Given.Json(response));
        var items = json.RootElement.GetProperty("items");
        JsonElement[] prices = [items[0].GetProperty("price"), items[1].GetProperty("price").GetProperty("trial").GetProperty("then")];
        Assert.All(prices, price => Assert.Equal(cause, price.TryGetProperty("cause", out var said) ? said.GetString() : null));
    }

    [Fact]
    public void A_price_that_did_not_come_in_time_is_unavailable() =>
        AssertNoAmount(Only(Merge(Given.Component())).Price, PriceStatus.Unavailable, "c", UpstreamFailure.Timeout);

    [Fact]
    public void Skipped_prices_are_labelled_so_and_do_not_break_completeness()
    {
        _request = _request with { Prices = PriceMode.Skip };

        var response = Merge(options => options.SkuMap["d"] = string.Empty, new ProductListing("p", [Given.Component(), Given.Component("d")]));

        AssertNoAmount(response.Items[0].Price, PriceStatus.Skipped, "c", reason: null);
        AssertNoAmount(response.Items[1].Price, PriceStatus.Skipped, sku: null, reason: null);
        Assert.Equal((true, 2, 0, 0, 0), Counts(response));
    }

    [Fact]
    public void A_trial_shows_its_own_amount_and_what_follows()
    {
        _prices["c"] = Given.Found(Given.Product("0.99") with { Period = Given.Period("day", 3), IsTrial = true, PostTrialSku = "full", Recurring = true });
        _prices["full"] = Given.Found(Given.Product("9.99") with { Period = Given.Period("month", 1), Recurring = true, Name = "Full" });

        var item = Only(Merge(Given.Component()));

        Assert.Equal((99L, "P3D", true), (item.Price.AmountMinor, item.Price.Period?.Iso, item.Price.Recurring));
        Assert.Equal(
            new CatalogThen
            {
                Status = PriceStatus.Live,
                Sku = "full",
                AmountMinor = 999,
                Amount = "9.99",
                Currency = "USD",
                Exponent = 2,
                Period = Given.Period("month", 1),
                Recurring = true,
            },
            item.Price.Trial?.Then);
        Assert.Null(item.Name);
    }

    [Fact]
    public void What_follows_a_trial_can_be_not_found()
    {
        _prices["c"] = Trial("full");
        _prices["full"] = Given.NotFound();

        var response = Merge(Given.Component());

        Assert.Equal(new CatalogThen { Status = PriceStatus.NotFound, Sku = "full" }, Only(response).Price.Trial?.Then);
        Assert.Equal((true, 1, 1, 0, 0), Counts(response));
    }

    [Fact]
    public void What_follows_a_trial_can_be_unavailable_and_then_the_answer_is_incomplete()
    {
        _prices["c"] = Trial("full");
        _prices["full"] = Given.Failed(UpstreamFailure.CircuitOpen);

        var response = Merge(Given.Component());

        Assert.Equal(new CatalogThen { Status = PriceStatus.Unavailable, Sku = "full", Reason = UpstreamFailure.CircuitOpen }, Only(response).Price.Trial?.Then);
        Assert.Equal(PriceStatus.Live, Only(response).Price.Status);
        Assert.Equal((false, 1, 1, 0, 0), Counts(response));
        Assert.True(CatalogMerge.LacksPrice(Only(response)));
    }

    [Fact]
    public void What_follows_a_trial_that_Paymentwall_does_not_name_is_not_found_without_a_SKU()
    {
        _prices["c"] = Trial(null);

        Assert.Equal(new CatalogThen { Status = PriceStatus.NotFound, Sku = null }, Only(Merge(Given.Component())).Price.Trial?.Then);
    }

    [Fact]
    public void A_trial_that_follows_itself_ends_after_one_hop()
    {
        _prices["c"] = Trial("c");

        var then = Only(Merge(Given.Component())).Price.Trial?.Then;

        Assert.Equal((PriceStatus.Live, "c", 99L), (then!.Status, then.Sku, then.AmountMinor));
    }

    [Fact]
    public void A_post_trial_product_without_a_trial_means_nothing()
    {
        _prices["c"] = Given.Found(Given.Product() with { PostTrialSku = "full" });
        _prices["full"] = Given.Failed(UpstreamFailure.Timeout);

        var response = Merge(Given.Component());

        Assert.Null(Only(response).Price.Trial);
        Assert.True(response.Completeness.Complete);
    }

    [Theory]
    [InlineData("10.00", 1000L)]
    [InlineData("9.99", null)]
    [InlineData("5.00", null)]
    [InlineData(null, null)]
    public void An_old_price_is_compared_at_only_if_it_is_higher(string? oldPrice, long? compareAt)
    {
        _prices["c"] = Given.Found(Given.Product("9.99") with { OldPrice = oldPrice is null ? null : Given.Money(oldPrice, "USD") });

        Assert.Equal(
            compareAt is { } minor ? new CatalogAmount { AmountMinor = minor, Amount = "10.00", Currency = "USD", Exponent = 2 } : null,
            Only(Merge(Given.Component())).Price.CompareAt);
    }

    [Theory]
    [InlineData("1500.00", "JPY", 1500, "1500", 0)]
    [InlineData("1.5", "KWD", 1500, "1.500", 3)]
    [InlineData("0", "USD", 0, "0.00", 2)]
    public void An_amount_has_the_decimals_of_its_currency(string text, string currency, long minor, string amount, int exponent)
    {
        _prices["c"] = Given.Found(Given.Product(text, currency));

        var price = Only(Merge(Given.Component())).Price;

        Assert.Equal((minor, amount, currency, exponent), (price.AmountMinor, price.Amount, price.Currency, price.Exponent));
        Assert.False(price.Recurring);
    }

    [Fact]
    public void The_overlay_wins_over_Paymentwall_s_name_where_it_is_set()
    {
        _prices["c"] = _prices["d"] = _prices["e"] = Given.Found(Given.Product() with { Name = "Paymentwall's" });

        var response = Merge(
            options =>
            {
                options.Overlay["c"] = new CatalogOverlay { Name = "Ours", Description = "What it is.", Features = ["one", "two"] };
                options.Overlay["d"] = new CatalogOverlay { Description = "Only this." };
            },
            new ProductListing("p", [Given.Component(), Given.Component("d"), Given.Component("e")]));

        Assert.Equal(["Ours", "Paymentwall's", "Paymentwall's"], response.Items.Select(item => item.Name));
        Assert.Equal(["What it is.", "Only this.", null], response.Items.Select(item => item.Description));
        Assert.Equal([2, 0, 0], response.Items.Select(item => item.Features.Count));
    }

    [Fact]
    public void Unknown_fields_and_tiers_pass_through_as_Billing_sent_them()
    {
        using var json = JsonDocument.Parse("""{ "tier": { "upTo": 10, "price": 1.50 }, "note": "café", "weird": [null, {}] }""");
        var component = Given.Component() with
        {
            Tiers = [json.RootElement.GetProperty("tier")],
            Extensions = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                ["weird"] = json.RootElement.GetProperty("weird"),
                ["Note"] = json.RootElement.GetProperty("note"),
            },
        };

        var text = Given.Json(Merge(component));

        Assert.Contains("""
            "tiers":[{"upTo":10,"price":1.50}]
            """.Trim(), text, StringComparison.Ordinal);
        Assert.Contains("""
            "extensions":{"Note":"café","weird":[null,{}]}
            """.Trim(), text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"starting_unit":1,"ending_unit":10,"price":500},{"price":400,"starting_unit":11,"ending_unit":null}]""",
        """[{"from":1,"to":10,"unitPrice":{"amountMinor":500,"amount":"5.00","currency":"EUR","exponent":2}},{"from":11,"to":null,"unitPrice":{"amountMinor":400,"amount":"4.00","currency":"EUR","exponent":2}}]""")]
    [InlineData("""[{"starting_unit":5,"ending_unit":5,"price":0}]""", """[{"from":5,"to":5,"unitPrice":{"amountMinor":0,"amount":"0.00","currency":"EUR","exponent":2}}]""")]
    [InlineData("""[{"starting_unit":1,"price":500},{"up_to":7,"price":400}]""", null)]
    [InlineData("""[{"starting_unit":1,"price":500,"package":2}]""", null)]
    [InlineData("""[{"starting_unit":1,"price":5.5}]""", null)]
    [InlineData("""[{"starting_unit":1,"price":-5}]""", null)]
    [InlineData("""[{"starting_unit":"1","price":5}]""", null)]
    [InlineData("""[{"starting_unit":7,"ending_unit":6,"price":5}]""", null)]
    [InlineData("""[{"starting_unit":7,"starting_unit":7,"price":5}]""", null)]
    [InlineData("""[{"price":5}]""", null)]
    [InlineData("""[{"starting_unit":1}]""", null)]
    [InlineData("[null,7,[]]", null)]
    public void Tiers_of_the_documented_form_are_typed_and_others_pass_as_they_came(string sent, string? typed)
    {
        using var json = JsonDocument.Parse(sent);
        var component = Given.Component() with { Id = "plan-EUR-m", Tiers = [.. json.RootElement.EnumerateArray()] };

        Assert.Contains($"\"tiers\":{typed ?? sent}", Given.Json(Merge(component)), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_unknown_fields_there_are_no_extensions() =>
        Assert.DoesNotContain("extensions", Given.Json(Merge(Given.Component())), StringComparison.Ordinal);

    [Theory]
    [InlineData("c-EUR-m", "USD", "10.00", "USD", 2)]
    [InlineData("c-EUR-m", null, "10.00", "EUR", 2)]
    [InlineData("c-JPY-m", null, "1000", "JPY", 0)]
    [InlineData("c-KWD-m", null, "1.000", "KWD", 3)]
    [InlineData("c", null, null, null, null)]
    [InlineData("c-ZZZ-m", null, null, null, null)]
    public void The_list_price_keeps_its_minor_units_even_if_its_currency_is_not_known(
        string id, string? currency, string? amount, string? expectedCurrency, int? exponent) =>
        Assert.Equal(
            new CatalogAmount { AmountMinor = 1000, Amount = amount, Currency = expectedCurrency, Exponent = exponent },
            Only(Merge(Given.Component(id) with { PriceMinor = 1000, Currency = currency })).Billing.ListPrice);

    [Fact]
    public void Without_a_list_price_there_is_none() => Assert.Null(Only(Merge(Given.Component("c-EUR-m"))).Billing.ListPrice);

    [Fact]
    public void Items_are_in_Billing_s_order_products_in_the_order_asked_for()
    {
        var response = Merge(
            null,
            new ProductListing("z", [Given.Component("2", "z"), Given.Component("1", "z")]),
            new ProductListing("empty", []),
            new ProductListing("a", [Given.Component("9", "a"), Given.Component("1", "a")]));

        Assert.Equal(["2", "1", "9", "1"], response.Items.Select(item => item.Id));
        Assert.Equal(4, response.Total);
    }

    [Fact]
    public void A_product_that_failed_is_named_with_its_code_and_the_answer_incomplete()
    {
        _prices["c"] = Given.Found(Given.Product());

        var response = Merge(
            null,
            new ProductListing("gone", [], Problem.ProductNotFound),
            new ProductListing("p", [Given.Component()]),
            new ProductListing("slow", [], Problem.UpstreamTimedOut));

        Assert.Equal((false, 1, 1, 0, 0), Counts(response));
        Assert.Equal(
            [("gone", "productNotFound"), ("slow", "upstreamTimedOut")],
            response.Completeness.FailedProducts.Select(failed => (failed.ProductId, failed.Code)));
    }

    [Fact]
    public void A_product_without_components_is_a_complete_answer()
    {
        var response = Merge(null, new ProductListing("p", []));

        Assert.Equal((true, 0, 0, 0, 0), Counts(response));
        Assert.Empty(response.Completeness.FailedProducts);
    }

    [Fact]
    public void Components_that_share_a_SKU_share_its_price()
    {
        _prices["shared"] = Given.Found(Given.Product());

        var response = Merge(
            options => options.SkuMap = new Dictionary<string, string>(StringComparer.Ordinal) { ["c"] = "shared", ["d"] = "shared" },
            new ProductListing("p", [Given.Component(), Given.Component("d")]));

        Assert.Equal(2, response.Completeness.Priced);
        Assert.Equal(response.Items[0].Price, response.Items[1].Price);
    }

    [Fact]
    public void Text_is_not_escaped_beyond_what_HTML_would_mistake()
    {
        _prices["c"] = Given.Found(Given.Product() with { Name = "Café 日本 <b>&" });

        Assert.Contains("\"Café 日本 \\u003Cb\\u003E\\u0026\"", Given.Json(Merge(Given.Component())), StringComparison.Ordinal);
    }

    private static UpstreamResult<PaymentwallProduct?> Trial(string? next) =>
        Given.Found(Given.Product("0.99") with { IsTrial = true, PostTrialSku = next });

    private static CatalogItem Only(CatalogResponse response) => Assert.Single(response.Items);

    private static (bool Complete, int Components, int Priced, int NotFound, int Unavailable) Counts(CatalogResponse response) => (
        response.Completeness.Complete,
        response.Completeness.Components,
        response.Completeness.Priced,
        response.Completeness.NotFound,
        response.Completeness.Unavailable);

    private static void AssertNoAmount(CatalogPrice price, PriceStatus status, string? sku, UpstreamFailure? reason) =>
        Assert.Equal(new CatalogPrice { Status = status, Sku = sku, Reason = reason }, price);

    private CatalogResponse Merge(params BillingComponent[] components) => Merge(null, new ProductListing("p", components));

    private CatalogResponse Merge(Action<CatalogOptions>? change, params ProductListing[] listings) =>
        CatalogMerge.Merge(_request, listings, _prices, Given.Rules(change));
}
