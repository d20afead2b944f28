using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Which web pages may read answers.</summary>
public sealed class CorsTests(CorsTests.Door door) : IClassFixture<CorsTests.Door>
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    [Theory]
    [InlineData("https://shop.example.com")]
    [InlineData("https://eu.shops.example.com")]
    [InlineData("https://a.b.shops.example.com")]
    [InlineData("http://localhost:8081")]
    public async Task A_configured_origin_may_read_answer_and_headers(string origin)
    {
        var answer = await door.Gateway.GetAsync(Catalog, ("Origin", origin));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(origin, answer.Header("Access-Control-Allow-Origin"));
        Assert.Equal("ETag,Age,Cache-Status,Server-Timing,Retry-After", answer.Header("Access-Control-Expose-Headers"));
        Assert.Null(answer.Header("Access-Control-Allow-Credentials"));
        Assert.Equal("Accept-Encoding, sandbox, Origin", answer.Header("Vary"));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("http://shop.example.com")]
    [InlineData("https://shop.example.com:8443")]
    [InlineData("https://shops.example.com")]
    [InlineData("https://evilshops.example.com")]
    [InlineData("http://eu.shops.example.com")]
    [InlineData("https://eu.shops.example.com.evil.example")]
    [InlineData("null")]
    [InlineData("https://shop.example.com/")]
    public async Task Another_origin_gets_the_answer_without_leave_to_read_it(string origin)
    {
        var answer = await door.Gateway.GetAsync(Catalog, ("Origin", origin));

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Null(answer.Header("Access-Control-Allow-Origin"));
        Assert.Equal("Accept-Encoding, sandbox, Origin", answer.Header("Vary"));
    }

    [Theory]
    [InlineData(Catalog)]
    [InlineData("/catalog?country=nowhere")]
    [InlineData("/nothing")]
    [InlineData("/billing/v1/products/builtfor_example/components")]
    [InlineData("/billing/v1/secret")]
    public async Task Every_answer_varies_by_origin_and_may_be_read(string path)
    {
        var withOrigin = await door.Gateway.GetAsync(path, ("Origin", "https://shop.example.com"));
        var without = await door.Gateway.GetAsync(path);

        Assert.Contains("Origin", withOrigin.Header("Vary")!.Split(',', StringSplitOptions.TrimEntries));
        Assert.Contains("Origin", without.Header("Vary")!.Split(',', StringSplitOptions.TrimEntries));
        Assert.Equal("https://shop.example.com", withOrigin.Header("Access-Control-Allow-Origin"));
        Assert.Null(without.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_304_may_be_read_too()
    {
        var first = await door.Gateway.GetAsync(Catalog);
        var second = await door.Gateway.GetAsync(Catalog, ("Origin", "https://shop.example.com"), ("If-None-Match", first.Header("ETag")!));

        Assert.Equal(HttpStatusCode.NotModified, second.Status);
        Assert.Equal("https://shop.example.com", second.Header("Access-Control-Allow-Origin"));
        Assert.Equal("Accept-Encoding, sandbox, Origin", second.Header("Vary"));
    }

    [Fact]
    public async Task One_origins_cached_answer_is_anothers_with_its_own_leave()
    {
        var first = await door.Gateway.GetAsync(Catalog, ("Origin", "https://shop.example.com"));
        var second = await door.Gateway.GetAsync(Catalog, ("Origin", "https://eu.shops.example.com"));

        Assert.Equal(first.Body, second.Body);
        Assert.StartsWith("gateway; hit", second.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Equal("https://eu.shops.example.com", second.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_preflight_for_reading_with_the_sandbox_header_is_granted()
    {
        var answer = await PreflightAsync(Catalog, "https://shop.example.com", "GET", "sandbox");

        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        Assert.Equal("https://shop.example.com", answer.Header("Access-Control-Allow-Origin"));
        Assert.Contains("sandbox", answer.Header("Access-Control-Allow-Headers")!.Split(','));
        Assert.Contains("GET", answer.Header("Access-Control-Allow-Methods")!.Split(','));
        Assert.Equal("600", answer.Header("Access-Control-Max-Age"));
    }

    [Theory]
    [InlineData("/billing/v1/customers", "https://shop.example.com", "POST", "x-api-key")]
    [InlineData("/catalog", "https://shop.example.com", "DELETE", "sandbox")]
    public async Task A_preflight_for_writing_is_not(string path, string origin, string method, string headers)
    {
        var answer = await PreflightAsync(path, origin, method, headers);

        Assert.DoesNotContain(method, answer.Header("Access-Control-Allow-Methods")?.Split(',') ?? []);
    }

    [Fact]
    public async Task A_preflight_of_another_origin_is_not_granted()
    {
        var answer = await PreflightAsync(Catalog, "https://evil.example", "GET", "sandbox");

        Assert.Null(answer.Header("Access-Control-Allow-Origin"));
        Assert.Null(answer.Header("Access-Control-Allow-Headers"));
    }

    private Task<Answer> PreflightAsync(string path, string origin, string method, string headers) => door.Gateway.SendAsync(
        HttpMethod.Options, path, ("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));

    /// <summary>A gateway that some pages may read.</summary>
    public sealed class Door : IAsyncLifetime
    {
        private SimulatorProcess? _simulator;

        internal GatewayProcess Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _simulator = await SimulatorProcess.StartAsync();
            Gateway = await GatewayProcess.StartAsync(
                _simulator, ("Security:Cors:Origins", "https://shop.example.com, https://*.shops.example.com,http://localhost:8081"));
        }

        public async ValueTask DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await _simulator!.DisposeAsync();
        }
    }
}
