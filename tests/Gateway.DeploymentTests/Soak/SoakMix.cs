using System.Globalization;

namespace Gateway.DeploymentTests.Soak;

/// <summary>What customers ask, and how often: the same sequence for the same seed.</summary>
internal sealed class SoakMix(Random random, bool isBackend)
{
    /// <summary>In the path or query of everything that must never reach an upstream.</summary>
    public const string Forbidden = "never-to-be-forwarded";

    public static readonly (string Country, string Currency, int Exponent)[] Countries =
    [
        ("US", "USD", 2), ("FR", "EUR", 2), ("DE", "EUR", 2), ("JP", "JPY", 0), ("KW", "KWD", 3), ("GB", "GBP", 2), ("BR", "BRL", 2), ("PL", "PLN", 2),
    ];

    /// <summary>Asked for all the time.</summary>
    public static readonly string[] Hot = ["builtfor_example", "shipping_example", "reviews_example", "bulk_000", "bulk_001"];

    /// <summary>Asked for now and then: their prices are mostly beyond their freshness.</summary>
    public static readonly string[] Rare = ["bulk_010", "bulk_011", "bulk_012", "bulk_013"];

    private static readonly string[] HotCountries = ["US", "FR", "DE", "JP"];

    private static readonly string[] Encodings = ["identity", "gzip", "br"];

    private static readonly (string Path, int Status, string Code)[] Bad =
    [
        ("/catalog?product=builtfor_example&country=ZZZ", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&country=XX", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&country=", 400, "invalidParameter"),
        ("/catalog?country=JP", 400, "invalidParameter"),
        ("/catalog?product=..&country=JP", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&country=JP&country=US", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&lang=english", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&prices=maybe", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&type=car", 400, "invalidParameter"),
        ("/catalog?product=builtfor_example&status=archived", 401, "unauthenticated"),
        ("/catalog?product=" + string.Join(',', Enumerable.Range(0, 21).Select(number => "p" + number.ToString(CultureInfo.InvariantCulture))), 400, "invalidParameter"),
        ("/paymentwall/api/rest/product?ag_external_id=x&country_code=JP&extra=" + Forbidden, 400, "invalidParameter"),
        ("/paymentwall/api/rest/product?ag_external_id=x&ag_external_id=" + Forbidden, 400, "invalidParameter"),
        ($"/catalog/{Forbidden}/nowhere", 404, "routeNotFound"),
        ("/billing/v1/subscriptions/" + Forbidden, 401, "unauthenticated"),
        ("/paymentwall/api/subscription?" + Forbidden, 401, "unauthenticated"),
    ];

    public SoakRequest Next() => isBackend ? Proxied() : random.Next(1000) switch
    {
        < 620 => Ask("hot", new CatalogAsk([Pick(Hot)], Pick(HotCountries))),
        < 690 => Ask("several products", new CatalogAsk([Hot[0], Hot[random.Next(1, 3)]], Pick(HotCountries))),
        < 730 => Ask("filtered", new CatalogAsk([Hot[random.Next(3)]], Pick(HotCountries), Type: Pick(["plan", "addon,plan", "charge"]), Period: Pick(["month", "year", "month,week", null]))),
        < 770 => Ask("sandbox", new CatalogAsk([Hot[random.Next(2)]], Pick(HotCountries), Sandbox: true)),
        < 800 => Ask("language", new CatalogAsk([Hot[0]], "FR", Lang: Pick(["fr", "en", "de"]))),
        < 835 => Ask("prices=required", new CatalogAsk([Pick(Hot)], Pick(HotCountries), Prices: "required")),
        < 850 => Ask("prices=skip", new CatalogAsk([Pick(Hot)], Pick(HotCountries), Prices: "skip")),
        < 870 => Ask("rare", new CatalogAsk([Pick(Rare)], Pick(Countries).Country)),
        < 885 => Ask("unknown product", new CatalogAsk([Pick(["unknown_1", "unknown_2"])], "US")),
        < 895 => Ask("known and unknown product", new CatalogAsk([Hot[0], "unknown_1"], "US")),
        < 920 => Ask("HEAD", new CatalogAsk([Pick(Hot)], Pick(HotCountries)), HttpMethod.Head),
        < 935 => new SoakRequest("wrong method", HttpMethod.Post, "/catalog?product=" + Hot[0]) { Refusal = (405, "methodNotAllowed"), Body = "{}" },
        < 950 => new SoakRequest("write without key", HttpMethod.Put, $"/billing/v1/subscriptions/{Forbidden}/items/1/quantity") { Refusal = (401, "unauthenticated"), Body = """{"quantity":1}""" },
        < 960 => new SoakRequest("key of another role", HttpMethod.Get, "/billing/v1/customers/" + Forbidden) { Refusal = (403, "forbidden"), ApiKey = FunctionalTests.Stack.GatewayProcess.AdminKey },
        _ => Pick(Bad) is var bad ? new SoakRequest("bad request", HttpMethod.Get, bad.Path) { Refusal = (bad.Status, bad.Code) } : throw new InvalidOperationException(),
    };

    private SoakRequest Proxied() => random.Next(100) switch
    {
        < 35 => new SoakRequest("proxied components", random.Next(8) == 0 ? HttpMethod.Head : HttpMethod.Get, $"/billing/v1/products/{Pick(Hot)}/components?filter_status=active") { Billing = 200 },
        < 70 when (Country: Pick(HotCountries), Product: Hot[random.Next(3)], Plan: Pick(["starter", "pro"])) is var (country, product, plan)
            && $"{product}-{plan}-EUR-monthly" is var sku =>
            new SoakRequest("proxied price", HttpMethod.Get, $"/paymentwall/api/rest/product?ag_external_id={sku}&country_code={country}") { Price = (country, sku) },
        < 85 => new SoakRequest("proxied with key", HttpMethod.Get, $"/billing/v1/customers/shop_{random.Next(100)}/subscriptions/{Hot[0]}") { Billing = 200, ApiKey = FunctionalTests.Stack.GatewayProcess.ProxyKey },
        < 93 => new SoakRequest("proxied write with key", HttpMethod.Put, "/billing/v1/subscriptions/1/items/1/quantity") { Billing = 200, Body = """{"quantity":2}""", ApiKey = FunctionalTests.Stack.GatewayProcess.ProxyKey },
        _ => new SoakRequest("proxied, unknown there", HttpMethod.Get, "/billing/v1/elsewhere") { Billing = 404, ApiKey = FunctionalTests.Stack.GatewayProcess.ProxyKey },
    };

    private SoakRequest Ask(string kind, CatalogAsk ask, HttpMethod? method = null) =>
        new(kind, method ?? HttpMethod.Get, ask.Path) { Catalog = ask, Encoding = Pick(Encodings) };

    private T Pick<T>(T[] some) => some[random.Next(some.Length)];
}
