using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.DeploymentTests.Soak;

/// <summary>The soak would be worth nothing if its checker overlooked a broken promise: one answer that is right, and each way to be wrong.</summary>
public sealed class AnswerCheckerTests
{
    private const string Plan = "plan";
    private const string Trial = "product-starter-EUR-monthly";

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly SoakWorld _world = new(new Dictionary<(string, bool), IReadOnlyList<SoakWorld.Component>>
    {
        [("product", false)] = [new(Plan, "plan", "month"), new(Trial, "plan", "month")],
    });

    private readonly PriceLedger _prices = new(("US", "USD", 2), ("JP", "JPY", 0));
    private readonly TroubleLog _troubles = new();
    private readonly WarmthLedger _warmth = new();
    private readonly AnswerChecker _checker;

    /// <summary>Two countries, two versions each; the first ones ended 60 s after the start.</summary>
    public AnswerCheckerTests()
    {
        foreach (var country in new[] { "US", "JP" })
        {
            foreach (var sku in new[] { Plan, Trial, Trial + "-full" })
            {
                Set(country, sku, Start);
                Set(country, sku, At(60));
            }
        }

        _checker = new AnswerChecker(_world, _prices, _troubles, _warmth, new DemandLedger());
    }

    [Fact]
    public void A_true_answer_breaks_no_promise()
    {
        Assert.Empty(Check(Seen(10, 10.1, Catalog("US", 1))));
        Assert.Empty(Check(Seen(70, 70.1, Catalog("US", 2))));
        Assert.Empty(Check(Seen(80, 80.1, Catalog("JP", 2), "JP")));
    }

    [Fact]
    public void The_price_of_another_country_is_seen() => AssertBroken("wrong price", Seen(10, 10.1, Catalog("US", 1, item => Put(item, Minor("JP", Plan, 1), 2))));

    [Fact]
    public void The_price_of_another_sku_is_seen() => AssertBroken("wrong price", Seen(10, 10.1, Catalog("US", 1, item => Put(item, Minor("US", Trial, 1), 2))));

    [Fact]
    public void A_price_that_was_nobodys_is_seen() => AssertBroken("wrong price", Seen(10, 10.1, Catalog("US", 1, item => Put(item, 999, 2))));

    [Fact]
    public void A_price_that_is_not_true_yet_is_seen() => AssertBroken("wrong price", Seen(10, 10.1, Catalog("US", 2)));

    [Fact]
    public void A_wrong_currency_is_seen() => AssertBroken("wrong price", Seen(10, 10.1, Catalog("US", 1, item => item["price"]!["currency"] = "EUR")));

    [Fact]
    public void A_live_price_beyond_its_age_is_seen_once_there_was_the_time_to_refresh_it()
    {
        Assert.Empty(Check(Seen(59, 59.1, Catalog("US", 1))));

        // Stale, and asked for the first time since: it may be served once.
        Assert.Empty(Check(Seen(90, 90.1, Catalog("US", 1))));
        Assert.Empty(Check(Seen(92, 92.1, Catalog("US", 1))));

        AssertBroken("over-age live price", Seen(110, 110.1, Catalog("US", 1)));
    }

    [Fact]
    public void A_304_that_stands_for_a_price_beyond_its_age_is_seen()
    {
        var old = Seen(90, 90.1, Catalog("US", 1));
        var (_, known) = _checker.Check(old);

        AssertBroken("over-age live price", old with
        {
            Request = old.Request with { IfNoneMatch = old.Header("etag") },
            SentAt = At(110),
            ReceivedAt = At(110.1),
            Status = 304,
            Body = [],
            Known = known,
        });
    }

    [Fact]
    public void A_stale_price_says_from_when_it_is()
    {
        Assert.Empty(Check(Seen(90, 90.1, Catalog("US", 1, item => Stale(item, At(59))))));

        AssertBroken("wrong price", Seen(90, 90.1, Catalog("US", 1, item => Stale(item, At(80)))));
        AssertBroken("the contract's form", Seen(90, 90.1, Catalog("US", 1, item => item["price"]!["status"] = "stale")));
    }

    [Fact]
    public void A_dropped_item_is_seen() => AssertBroken("items", Seen(10, 10.1, Changed(Catalog("US", 1), answer =>
    {
        answer["items"]!.AsArray().RemoveAt(0);
        answer["total"] = 1;
    })));

    [Fact]
    public void Completeness_that_does_not_fit_the_items_is_seen() =>
        AssertBroken("completeness", Seen(10, 10.1, Changed(Catalog("US", 1), answer => answer["completeness"]!["priced"] = 1)));

    [Fact]
    public void One_tag_for_two_bodies_is_seen()
    {
        Assert.Empty(Check(Seen(10, 10.1, Catalog("US", 1))));

        AssertBroken("ETag", Seen(70, 70.1, Catalog("US", 2)) with { Headers = Seen(10, 10.1, Catalog("US", 1)).Headers });
    }

    [Fact]
    public void A_304_for_a_tag_that_was_not_given_out_is_seen()
    {
        var seen = Seen(10, 10.1, Catalog("US", 1));

        AssertBroken("ETag", seen with { Request = seen.Request with { IfNoneMatch = seen.Header("etag") }, Status = 304, Body = [] });
    }

    [Fact]
    public void A_missing_price_needs_a_fault_that_explains_it()
    {
        AssertBroken("status codes", Seen(10, 10.1, Catalog("US", 1, item => Miss(item, "timeout"))));

        _troubles.Begin(new Trouble("paymentwall", "hangs", At(20), TimeSpan.FromSeconds(5), "paymentwall:timeout"));
        Assert.Empty(Check(Seen(21, 21.1, Catalog("US", 1, item => Miss(item, "timeout")))));
        AssertBroken("status codes", Seen(21, 21.1, Catalog("US", 1, item => Miss(item, "rejected"))));
    }

    [Fact]
    public void A_warm_price_must_not_go_missing_whatever_is_wrong()
    {
        Assert.Empty(Check(Seen(10, 10.1, Catalog("US", 1))));
        _troubles.Begin(new Trouble("paymentwall", "hangs", At(20), TimeSpan.FromSeconds(5), "paymentwall:timeout"));
        var missing = Seen(21, 21.1, Catalog("US", 1, item => Miss(item, "timeout")));

        AssertBroken("never down", missing);
        Assert.Empty(Check(missing with { Instance = "gateway-2#1" }));

        _warmth.Begin("price", Plan, instance: null, At(20.5)).End(At(20.6));
        Assert.Empty(Check(missing));
    }

    [Fact]
    public void A_warm_catalog_must_not_fail_whatever_is_wrong()
    {
        _troubles.Begin(new Trouble("billing", "drops", At(5), TimeSpan.FromSeconds(5), "billing:upstreamUnreachable"));
        var failed = Problem(21, 502, "upstreamUnreachable");
        Assert.Empty(Check(failed));
        Assert.Empty(Check(Seen(10, 10.1, Catalog("US", 1))));

        AssertBroken("never down", failed);
    }

    [Fact]
    public void A_failure_needs_a_fault_that_explains_it() => AssertBroken("status codes", Problem(21, 502, "upstreamUnreachable"));

    [Fact]
    public void A_status_500_is_never_explained() => AssertBroken("status codes", Problem(21, 500, "internalError"));

    [Fact]
    public void An_answer_after_the_deadline_is_seen() => AssertBroken("latency", Seen(10, 17.5, Catalog("US", 1)));

    [Fact]
    public void No_answer_at_all_is_only_excused_by_a_kill()
    {
        var lost = Seen(10, 10.1, Catalog("US", 1)) with { Status = 0, Error = "The connection was closed." };
        AssertBroken("an answer", lost);

        _troubles.Begin(new Trouble("kill", "gateway-2 is killed", At(10), TimeSpan.Zero)).End(At(13));
        Assert.Empty(Check(lost));
        Assert.Equal(1, _checker.LostToKills);
    }

    [Fact]
    public void A_proxied_price_is_the_one_of_this_moment()
    {
        var request = new SoakRequest("proxied price", HttpMethod.Get, "/paymentwall/api/rest/product") { Price = ("US", Plan) };
        var before = Proxied(_prices.Body("US", Plan, _prices.Find("US", Plan, 1)!.Value.Version));
        Assert.Empty(Check(before));

        AssertBroken("wrong price", before with { SentAt = At(61), ReceivedAt = At(61.1) });
        AssertBroken("wrong price", Proxied(_prices.Body("JP", Plan, _prices.Find("JP", Plan, 1)!.Value.Version)));

        Observation Proxied(string body) => Seen(10, 10.1, JsonNode.Parse(body)!) with { Request = request };
    }

    [Fact]
    public void A_series_that_rises_to_the_end_is_not_flat()
    {
        Assert.True(Flatness.Of([.. Enumerable.Range(0, 100).Select(second => ((double)second, second < 50 ? 100.0 + second : 150.0))], allowance: 5).IsFlat);
        Assert.False(Flatness.Of([.. Enumerable.Range(0, 100).Select(second => ((double)second, 100.0 + second))], allowance: 5).IsFlat);
    }

    private static DateTimeOffset At(double seconds) => Start + TimeSpan.FromSeconds(seconds);

    private void Set(string country, string sku, DateTimeOffset now)
    {
        var version = _prices.Begin(country, sku, isSold: true, now);
        _prices.Complete(country, sku, version, now);
    }

    private IReadOnlyList<Violation> Check(Observation seen) => _checker.Check(seen).Violations;

    private void AssertBroken(string promise, Observation seen) => Assert.Contains(Check(seen), violation => violation.Promise == promise);

    private long Minor(string country, string sku, int number) => _prices.Find(country, sku, number)!.Value.Version.AmountMinor!.Value;

    private JsonObject Catalog(string country, int version, Action<JsonNode>? change = null)
    {
        var exponent = _prices.CurrencyOf(country).Exponent;
        var items = new JsonArray(Item(Plan, then: null), Item(Trial, Price(Trial + "-full")));
        change?.Invoke(items[0]!);
        var statuses = items.Select(item => (string)item!["price"]!["status"]!).ToList();
        return new JsonObject
        {
            ["context"] = new JsonObject { ["country"] = country, ["countrySource"] = "query", ["lang"] = null, ["sandbox"] = false },
            ["completeness"] = new JsonObject
            {
                ["complete"] = !statuses.Contains("unavailable"),
                ["components"] = 2,
                ["priced"] = statuses.Count(status => status is "live" or "stale"),
                ["stale"] = statuses.Count(status => status == "stale"),
                ["notFound"] = 0,
                ["unavailable"] = statuses.Count(status => status == "unavailable"),
                ["failedProducts"] = new JsonArray(),
            },
            ["items"] = items,
            ["total"] = 2,
        };

        JsonObject Item(string id, JsonObject? then)
        {
            var price = Price(id);
            price["trial"] = then is null ? null : new JsonObject { ["then"] = then };
            return new JsonObject { ["id"] = id, ["productId"] = "product", ["price"] = price };
        }

        JsonObject Price(string sku) => new()
        {
            ["status"] = "live",
            ["sku"] = sku,
            ["amountMinor"] = Minor(country, sku, version),
            ["amount"] = PriceLedger.Decimal(Minor(country, sku, version), exponent),
            ["currency"] = _prices.CurrencyOf(country).Currency,
            ["exponent"] = exponent,
            ["asOf"] = null,
            ["reason"] = null,
        };
    }

    private static void Put(JsonNode item, long minor, int exponent)
    {
        item["price"]!["amountMinor"] = minor;
        item["price"]!["amount"] = PriceLedger.Decimal(minor, exponent);
    }

    private static void Stale(JsonNode item, DateTimeOffset asOf)
    {
        item["price"]!["status"] = "stale";
        item["price"]!["asOf"] = asOf.ToString("O", CultureInfo.InvariantCulture);
    }

    private static void Miss(JsonNode item, string reason)
    {
        foreach (var name in new[] { "amountMinor", "amount", "currency", "exponent" })
        {
            item["price"]![name] = null;
        }

        item["price"]!["status"] = "unavailable";
        item["price"]!["reason"] = reason;
    }

    private static JsonNode Changed(JsonNode answer, Action<JsonNode> change)
    {
        change(answer);
        return answer;
    }

    private static Observation Seen(double sent, double received, JsonNode answer, string country = "US")
    {
        var ask = new CatalogAsk(["product"], country);
        var body = Encoding.UTF8.GetBytes(answer.ToJsonString());
        var headers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["etag"] = $"\"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(body).AsSpan(0, 8))}\"",
            ["cache-control"] = "public, max-age=5, stale-while-revalidate=86400",
            ["vary"] = "Accept-Encoding, sandbox",
            ["content-type"] = "application/json; charset=utf-8",
        };
        return new Observation(new SoakRequest("hot", HttpMethod.Get, ask.Path) { Catalog = ask }, At(sent), At(received), 200, headers, body) { Instance = "gateway-1#1" };
    }

    private static Observation Problem(double sent, int status, string code)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["content-type"] = "application/problem+json", ["cache-control"] = "no-store" };
        var body = new JsonObject { ["type"] = "urn:gateway:problem:" + code, ["status"] = status, ["code"] = code, ["traceId"] = "1" };
        var ask = new CatalogAsk(["product"], "US");
        return new Observation(
            new SoakRequest("hot", HttpMethod.Get, ask.Path) { Catalog = ask }, At(sent), At(sent + 0.1), status, headers, Encoding.UTF8.GetBytes(body.ToJsonString()))
        {
            Instance = "gateway-1#1",
        };
    }
}
