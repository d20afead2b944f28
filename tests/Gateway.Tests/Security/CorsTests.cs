using Gateway.Configuration;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Security;

public sealed class CorsTests
{
    [Theory]
    [InlineData("https://shop.example.com", "https://shop.example.com")]
    [InlineData("HTTPS://Shop.Example.COM:443", "https://shop.example.com")]
    [InlineData("http://shop.example.com:80", "http://shop.example.com")]
    [InlineData("http://localhost:3000", "http://localhost:3000")]
    [InlineData("http://[::1]:3000", "http://[::1]:3000")]
    [InlineData("https://bücher.example", "https://xn--bcher-kva.example")]
    [InlineData("https://*.example.com", "https://shop.example.com")]
    [InlineData("https://*.example.com", "https://a.b.example.com")]
    [InlineData("https://*.Example.com:8443", "https://shop.example.com:8443")]
    [InlineData("https://*.bücher.example", "https://shop.xn--bcher-kva.example")]
    public void What_is_configured_matches_what_browsers_send(string configured, string sent) => Assert.True(Policy(configured).IsOriginAllowed(sent));

    [Theory]
    [InlineData("https://shop.example.com", "http://shop.example.com")]
    [InlineData("https://shop.example.com", "https://shop.example.com:8443")]
    [InlineData("https://shop.example.com", "https://shop.example.com.evil.example")]
    [InlineData("https://shop.example.com", "https://evil-shop.example.com")]
    [InlineData("https://shop.example.com", "https://x.shop.example.com")]
    [InlineData("https://*.example.com", "https://example.com")]
    [InlineData("https://*.example.com", "https://evilexample.com")]
    [InlineData("https://*.example.com", "http://shop.example.com")]
    [InlineData("https://*.example.com", "https://shop.example.com:8443")]
    [InlineData("https://*.example.com", "https://shop.example.com.evil.example")]
    [InlineData("https://*.example.com", "https://evil.example/.example.com")]
    [InlineData("https://*.example.com", "https://evil.example?.example.com")]
    [InlineData("https://*.example.com", "https://evil.example#.example.com")]
    [InlineData("https://*.example.com", "https://evil.example\\.example.com")]
    [InlineData("https://*.example.com", "https://.example.com")]
    [InlineData("https://*.example.com", "null")]
    [InlineData("https://*.example.com", "*")]
    public void Nothing_else_does(string configured, string sent) => Assert.False(Policy(configured).IsOriginAllowed(sent));

    [Fact]
    public void Pages_may_only_read_and_never_with_the_browsers_credentials()
    {
        var policy = Policy("https://shop.example.com");

        Assert.Equal(["GET", "HEAD"], policy.Methods);
        Assert.False(policy.SupportsCredentials);
        Assert.False(policy.AllowAnyOrigin || policy.AllowAnyHeader || policy.AllowAnyMethod);
        Assert.Equal(["ETag", "Age", "Cache-Status", "Server-Timing", "Retry-After"], policy.ExposedHeaders);
        Assert.DoesNotContain("Authorization", policy.Headers);
    }

    private static CorsPolicy Policy(string origin)
    {
        Assert.Null(AllowedOrigin.Error(origin));
        var services = new ServiceCollection();
        services.AddLogging();
        var security = new SecurityOptions();
        security.Cors.Origins.AddRange(new CommaList { origin });
        services.AddFixedOptions(security);
        services.AddGatewayCors();
        using var provider = services.BuildServiceProvider();
        var cors = provider.GetRequiredService<IOptions<CorsOptions>>().Value;
        return cors.GetPolicy(cors.DefaultPolicyName)!;
    }
}
