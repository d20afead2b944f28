using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Security;

public sealed class ClientRateLimiterTests : IDisposable
{
    private readonly Current _security = new() { Value = Limits(new RateLimitOptions { PermitsPerSecond = 0.1, Burst = 1 }) };
    private readonly ServiceProvider _services;
    private readonly RateLimiterOptions _limiter;

    public ClientRateLimiterTests()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(new TestClock());
        services.AddSingleton<IOptions<SecurityOptions>>(_security);
        services.AddOptions<RedisOptions>();
        services.AddSingleton<RedisConnection>();
        services.AddClientRateLimiter();
        _services = services.BuildServiceProvider();
        _limiter = _services.GetRequiredService<IOptions<RateLimiterOptions>>().Value;
    }

    public void Dispose() => _services.Dispose();

    [Theory]
    [InlineData("203.0.113.7", "::ffff:203.0.113.7")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff")]
    [InlineData("fe80::1%3", "fe80::1%4")]
    [InlineData(null, null)]
    public async Task These_addresses_are_one_client(string? first, string? second)
    {
        Assert.True(await IsGrantedAsync("/catalog", first));
        Assert.False(await IsGrantedAsync("/catalog", second));
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.8")]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1")]
    [InlineData("::ffff:203.0.113.7", "::ffff:203.0.113.8")]
    [InlineData("127.0.0.1", "::1")]
    [InlineData("203.0.113.7", null)]
    public async Task These_are_two(string? first, string? second)
    {
        Assert.True(await IsGrantedAsync("/catalog", first));
        Assert.True(await IsGrantedAsync("/catalog", second));
    }

    [Fact]
    public async Task A_key_is_one_client_wherever_it_comes_from_and_its_name_is_no_address()
    {
        Assert.True(await IsGrantedAsync("/catalog", "203.0.113.7", "shop"));
        Assert.False(await IsGrantedAsync("/catalog", "203.0.113.8", "shop"));
        Assert.True(await IsGrantedAsync("/catalog", "203.0.113.7", "other"));
        Assert.True(await IsGrantedAsync("/catalog", "203.0.113.7"));
        Assert.True(await IsGrantedAsync("/catalog", "203.0.113.9", "203.0.113.7"));
        Assert.True(await IsGrantedAsync("/catalog", "203.0.113.9", "address:203.0.113.7"));
    }

    [Theory]
    [InlineData("/catalog", "/CATALOG")]
    [InlineData("/catalog", "/Catalog/")]
    [InlineData("/catalog", "/catalog/builtfor_example")]
    [InlineData("/billing/v1/x", "/paymentwall/api")]
    [InlineData("/billing/v1/x", "/BILLING/v1/y/")]
    [InlineData("/billing/v1/x", "/nothing")]
    [InlineData("/billing/v1/x", "//catalog")]
    [InlineData("/billing/v1/x", "/catalogue")]
    [InlineData("/billing/v1/x", "/healthy")]
    [InlineData("/admin/cache/purge", "/Admin/")]
    [InlineData("/admin/cache/purge", "/health/details")]
    public async Task Another_spelling_of_the_path_is_no_way_around_a_limit(string first, string second)
    {
        Assert.True(await IsGrantedAsync(first, "203.0.113.7"));
        Assert.False(await IsGrantedAsync(second, "203.0.113.7"));
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/")]
    [InlineData("/swagger")]
    public async Task What_probes_and_people_look_at_is_not_limited(string path)
    {
        for (var call = 0; call < 100; call++)
        {
            Assert.True(await IsGrantedAsync(path, "203.0.113.7"));
        }
    }

    [Fact]
    public async Task A_refusal_names_the_limit_that_was_used_also_when_the_configuration_has_lost_it_meanwhile()
    {
        var context = Request("/catalog", "203.0.113.7");
        using var granted = await _limiter.GlobalLimiter!.AcquireAsync(context, 1, TestContext.Current.CancellationToken);
        using var refused = await _limiter.GlobalLimiter.AcquireAsync(context, 1, TestContext.Current.CancellationToken);
        _security.Value = new SecurityOptions();

        await _limiter.OnRejected!(new OnRejectedContext { HttpContext = context, Lease = refused }, TestContext.Current.CancellationToken);

        var headers = context.Response.Headers;
        Assert.Equal(429, context.Response.StatusCode);
        Assert.Equal(
            ("1", "0", "10", "10", "no-store"),
            ((string?)headers["RateLimit-Limit"], (string?)headers["RateLimit-Remaining"], (string?)headers["RateLimit-Reset"], (string?)headers.RetryAfter, (string?)headers.CacheControl));
        context.Response.Body.Position = 0;
        var problem = await JsonSerializer.DeserializeAsync<JsonElement>(context.Response.Body, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("tooManyRequests", problem.GetProperty("code").GetString());
        Assert.DoesNotContain("203.0.113.7", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_any_limit_there_is_nothing_to_set_up()
    {
        Assert.False(ClientRateLimiter.IsConfigured(new SecurityOptions()));
        Assert.True(ClientRateLimiter.IsConfigured(new SecurityOptions { RateLimits = new RateLimitsOptions { Admin = new RateLimitOptions() } }));
    }

    private async Task<bool> IsGrantedAsync(string path, string? address, string? key = null)
    {
        using var lease = await _limiter.GlobalLimiter!.AcquireAsync(Request(path, address, key), 1, TestContext.Current.CancellationToken);
        return lease.IsAcquired;
    }

    private DefaultHttpContext Request(string path, string? address, string? key = null)
    {
        var context = new DefaultHttpContext { RequestServices = _services };
        context.Request.Path = path;
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        context.Response.Body = new MemoryStream();
        if (key is not null)
        {
            context.Request.Headers[ApiKeyHandler.HeaderName] = "the key of " + key;
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, key)], ApiKeyHandler.SchemeName));
        }

        return context;
    }

    private static SecurityOptions Limits(RateLimitOptions limit) =>
        new() { RateLimits = new RateLimitsOptions { Catalog = limit, Proxy = limit, Admin = limit } };

    private sealed class Current : IOptions<SecurityOptions>
    {
        public required SecurityOptions Value { get; set; }
    }
}
