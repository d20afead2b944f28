using System.Diagnostics;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>
/// Shared caches in front of the gateway, as people run them: one that honours <c>Vary</c> and one that does not, of nginx and of Varnish.
/// The country is in a header, as an edge that knows where a visitor is puts it there.
/// </summary>
public sealed class EdgeCacheTests(EdgeCacheTests.Door door) : IClassFixture<EdgeCacheTests.Door>
{
    private const string Country = "CF-IPCountry";
    private const string Sku = "builtfor_example-pro-EUR-monthly";
    private const string Question = "/catalog/builtfor_example?type=plan&period=month";

    private const string Nginx = "nginx";
    private const string NginxWithoutVary = "nginx that ignores Vary";
    private const string Varnish = "Varnish";
    private const string VarnishWithoutVary = "Varnish that ignores Vary";

    public static TheoryData<string> Edges => [Nginx, NginxWithoutVary, Varnish, VarnishWithoutVary];

    [Theory]
    [MemberData(nameof(Edges))]
    public async Task Visitors_whose_country_is_in_a_header_never_get_each_other_s_prices(string kind)
    {
        await using var edge = await Edge.StartAsync(kind, door.Gateway.Address);
        foreach (var country in new[] { "JP", "FR", "JP", "FR", "XX", "JP", "XX" })
        {
            var answer = await edge.GetAsync(Question, (Country, country));

            var expected = country == "XX" ? "US" : country;
            Assert.Equal((expected, Door.Prices[expected]), ((string?)answer.Json["context"]!["country"], (string?)answer.Component(Sku)["price"]!["amount"]));
            Assert.False(Edge.IsHit(answer));
            Assert.StartsWith("private, max-age=", answer.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Equal("no-store", answer.Header("CDN-Cache-Control"));
        }

        // Nobody's country at all, which an edge could have known.
        Assert.Equal("default", (string?)(await edge.GetAsync(Question)).Json["context"]!["countrySource"]);
        Assert.Equal("JP", (string?)(await edge.GetAsync(Question, (Country, "JP"))).Json["context"]!["country"]);
    }

    /// <summary>What is percent-encoded in a path stays so: a line end in it adds no header, and begins no request whose answer would be the next visitor's.</summary>
    [Theory]
    [InlineData(Nginx)]
    [InlineData(Varnish)]
    public async Task A_line_end_in_a_path_begins_nothing(string kind)
    {
        await using var edge = await Edge.AsDocumentedAsync(kind, door.Gateway.Address);
        foreach (var path in new[]
        {
            "/catalog%20HTTP/1.1%0d%0aCF-IPCountry:%20FR%0d%0aX:%20",
            "/catalog%3Fa%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20" + Question.Replace("?", "%3F", StringComparison.Ordinal) + "&country=US",
        })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await edge.GetAsync(path)).Status);
            Assert.Equal("JP", (string?)(await edge.GetAsync($"{Question}&country=JP&after={Guid.NewGuid()}")).Json["context"]!["country"]);
        }
    }

    [Theory]
    [MemberData(nameof(Edges))]
    public async Task With_the_country_in_the_query_an_edge_asks_once_for_all(string kind)
    {
        await using var edge = await Edge.StartAsync(kind, door.Gateway.Address);
        var trace = ActivityTraceId.CreateRandom().ToHexString();
        foreach (var (country, visitor, isHit) in new[] { ("JP", "FR", false), ("JP", "FR", true), ("FR", "FR", false), ("FR", "FR", true), ("JP", "FR", true) })
        {
            var answer = await edge.GetAsync($"{Question}&country={country}", (Country, visitor), ("traceparent", $"00-{trace}-00000000000000a1-01"));

            Assert.Equal((country, Door.Prices[country]), ((string?)answer.Json["context"]!["country"], (string?)answer.Component(Sku)["price"]!["amount"]));
            Assert.Equal(isHit, Edge.IsHit(answer));
            Assert.StartsWith("public, max-age=", answer.Header("Cache-Control"), StringComparison.Ordinal);
            Assert.Null(answer.Header("CDN-Cache-Control"));
        }

        await GatewayProcess.EventuallyAsync(() => Task.FromResult(door.Asked(trace) >= 2), TimeSpan.FromSeconds(10));
        Assert.Equal(2, door.Asked(trace));
    }

    [Theory]
    [MemberData(nameof(Edges))]
    public async Task What_is_for_one_caller_alone_is_kept_by_none(string kind)
    {
        await using var edge = await Edge.StartAsync(kind, door.Gateway.Address);
        for (var call = 0; call < 2; call++)
        {
            var sandbox = await edge.GetAsync(Question + "&country=JP", ("sandbox", "true"));
            Assert.Equal((true, false), ((bool)sandbox.Json["context"]!["sandbox"]!, Edge.IsHit(sandbox)));
        }

        var live = await edge.GetAsync(Question + "&country=JP");
        Assert.False((bool)live.Json["context"]!["sandbox"]!);

        // Nobody gets a coding that they cannot read.
        foreach (var coding in new[] { "br", "identity", "gzip", "br" })
        {
            var coded = await edge.GetAsync(Question + "&country=US", ("Accept-Encoding", coding));
            Assert.Equal("US", (string?)coded.Json["context"]!["country"]);
            Assert.Contains(coded.Header("Content-Encoding"), new[] { null, coding });
        }

        // Forwarded, whatever the upstream says of it: with a key, with a country that a header named, with sandbox.
        const string Product = "/paymentwall/api/rest/product?ag_external_id=" + Sku;
        const string Components = "/billing/v1/products/builtfor_example/components";
        const string Keyed = "/billing/v1/secret";
        Assert.Equal(("private", "no-store"), KeptBy(await edge.GetAsync(Keyed, ("X-Api-Key", GatewayProcess.ProxyKey))));
        Assert.Equal(HttpStatusCode.Unauthorized, (await edge.GetAsync(Keyed)).Status);
        foreach (var country in new[] { "JP", "FR" })
        {
            var product = await edge.GetAsync(Product, (Country, country));
            Assert.Equal(Door.Prices[country], (string?)product.Json["amount"]);
            Assert.Equal(("private", "no-store"), KeptBy(product));
        }

        Assert.Equal(("private", "no-store"), KeptBy(await edge.GetAsync(Components, ("sandbox", "true"))));
        Assert.Equal((null, null), KeptBy(await edge.GetAsync(Product + "&country_code=JP")));
        Assert.Equal((null, null), KeptBy(await edge.GetAsync(Components)));

        static (string?, string?) KeptBy(Answer answer) => (answer.Header("Cache-Control"), answer.Header("CDN-Cache-Control"));
    }

    /// <summary>As docs/edge.md shows it, word for word, but for where the visitor's country comes from.</summary>
    [Theory]
    [InlineData(Nginx)]
    [InlineData(Varnish)]
    public async Task An_edge_as_the_docs_configure_it_puts_the_country_into_the_query_and_keeps_an_answer_for_each(string kind)
    {
        await using var edge = await Edge.AsDocumentedAsync(kind, door.Gateway.Address);
        foreach (var (country, isHit) in new[] { ("JP", false), ("FR", false), ("JP", true), ("FR", true) })
        {
            var answer = await edge.GetAsync("/catalog?product=builtfor_example&type=plan", ("X-Test-Country", country), ("Origin", "https://a.shops.example.com"));

            Assert.Equal((country, "query", Door.Prices[country]), ((string?)answer.Json["context"]!["country"], (string?)answer.Json["context"]!["countrySource"], (string?)answer.Component(Sku)["price"]!["amount"]));
            Assert.Equal(isHit, Edge.IsHit(answer));
            Assert.Equal("https://a.shops.example.com", answer.Header("Access-Control-Allow-Origin"));
        }

        // What a visitor names is what they get; one of whom nothing is known, and who claims what only the edge may say, gets the default.
        Assert.Equal("FR", (string?)(await edge.GetAsync("/catalog/builtfor_example?country=FR", ("X-Test-Country", "JP"))).Json["context"]!["country"]);
        Assert.Equal("US", (string?)(await edge.GetAsync("/catalog/builtfor_example", (Country, "JP"))).Json["context"]!["country"]);

        // Another page, which may read its own answer.
        var other = await edge.GetAsync("/catalog?product=builtfor_example&type=plan", ("X-Test-Country", "JP"), ("Origin", "https://b.shops.example.com"));
        Assert.Equal("https://b.shops.example.com", other.Header("Access-Control-Allow-Origin"));
    }

    /// <summary>One gateway with a country header, and prices that differ between countries.</summary>
    public sealed class Door : IAsyncLifetime
    {
        internal static readonly IReadOnlyDictionary<string, string> Prices = new Dictionary<string, string>(StringComparer.Ordinal) { ["US"] = "1.00", ["JP"] = "2.00", ["FR"] = "3.00" };

        private SimulatorProcess? _simulator;

        internal GatewayProcess Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _simulator = await SimulatorProcess.StartAsync();
            foreach (var (country, amount) in Prices)
            {
                await _simulator.PriceAsync(Sku, $$"""{"object":"product","amount":"{{amount}}","currency":"USD"}""", country);
            }

            Gateway = await GatewayProcess.StartAsync(
                _simulator,
                ("Catalog:CountryHeader", Country), ("Catalog:FreshFor", "00:10:00"), ("Hosting:WarmRequestLogSampling", "1"),
                ("Security:Cors:Origins", "https://*.shops.example.com"));
            foreach (var country in Prices.Keys)
            {
                await Gateway.CompleteAsync($"{Question}&country={country}");
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await _simulator!.DisposeAsync();
        }

        /// <summary>How many requests of a trace the gateway has answered, by its log.</summary>
        internal int Asked(string trace) => Gateway.Log.Split('\n').Count(line => line.Contains(trace, StringComparison.Ordinal) && line.Contains("RequestPath", StringComparison.Ordinal));
    }

    private sealed class Edge(IAsyncDisposable process, Uri address) : IAsyncDisposable
    {
        private readonly HttpClient _client = new() { BaseAddress = address };

        public static async Task<Edge> StartAsync(string kind, Uri gateway)
        {
            SkipWithout(kind);
            var ignores = kind is NginxWithoutVary or VarnishWithoutVary;
            if (kind is Nginx or NginxWithoutVary)
            {
                // An edge that ignores Vary has one answer for all codings too: it takes the plain one.
                var nginx = await NginxProcess.StartAsync(port => $$"""
                    proxy_cache_path cache keys_zone=edge:1m;
                    server {
                      listen 127.0.0.1:{{port}};
                      location / {
                        proxy_pass {{gateway.GetLeftPart(UriPartial.Authority)}};
                        proxy_cache edge;
                        proxy_cache_key $request_uri;
                        add_header X-Edge $upstream_cache_status always;
                        {{(ignores ? "proxy_ignore_headers Vary; proxy_set_header Accept-Encoding '';" : string.Empty)}}
                      }
                    }
                    """);
                return new Edge(nginx, nginx.Address);
            }

            var varnish = await VarnishProcess.StartAsync(gateway, $$"""
                {{(ignores ? "sub vcl_backend_response { unset beresp.http.Vary; }" : string.Empty)}}
                {{SaysHits}}
                """);
            return new Edge(varnish, varnish.Address);
        }

        /// <summary>The configuration of docs/edge.md.</summary>
        public static async Task<Edge> AsDocumentedAsync(string kind, Uri gateway)
        {
            SkipWithout(kind);
            var page = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "docs", "edge.md"), TestContext.Current.CancellationToken);
            if (kind == Nginx)
            {
                var nginx = await NginxProcess.StartAsync(port => Block(page, "nginx")
                    .Replace("/var/cache/nginx/catalog", "cache", StringComparison.Ordinal)
                    .Replace("$geoip2_country", "$http_x_test_country", StringComparison.Ordinal)
                    .Replace("listen 443 ssl;", $"listen 127.0.0.1:{port};", StringComparison.Ordinal)
                    .Replace("gateway.internal:8080", gateway.Authority, StringComparison.Ordinal)
                    .Replace("proxy_cache catalog;", "proxy_cache catalog; add_header X-Edge $upstream_cache_status always;", StringComparison.Ordinal));
                return new Edge(nginx, nginx.Address);
            }

            var varnish = await VarnishProcess.StartAsync(
                gateway, Block(page, "vcl").Replace("req.http.X-Visitor-Country", "req.http.X-Test-Country", StringComparison.Ordinal) + SaysHits);
            return new Edge(varnish, varnish.Address);
        }

        /// <summary>The edge answered by itself.</summary>
        public static bool IsHit(Answer answer) => answer.Header("X-Edge") == "HIT";

        public async Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
            return await Answer.ReadAsync(response);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await process.DisposeAsync();
        }

        private const string SaysHits = """

            sub vcl_deliver { if (obj.hits > 0) { set resp.http.X-Edge = "HIT"; } else { set resp.http.X-Edge = "MISS"; } }
            """;

        private static void SkipWithout(string kind)
        {
            if (kind is Nginx or NginxWithoutVary)
            {
                Assert.SkipUnless(NginxProcess.IsInstalled, "There is no nginx on this machine: install the package nginx.");
            }
            else
            {
                Assert.SkipUnless(VarnishProcess.IsInstalled, "There is no Varnish on this machine: install the package varnish.");
            }
        }

        private static string Block(string page, string language) => page.Split($"```{language}\n")[1].Split("```")[0];
    }
}
