using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Hosting;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Hosting;

/// <summary>Two replicas with the same hash are configured alike; whoever sees the hash learns nothing.</summary>
public sealed class ConfigurationHashTests
{
    private static readonly OptionsSection[] Sections =
    [
        new OptionsSection<AccessTokensOptions>(AccessTokensOptions.Section), new OptionsSection<PaymentwallOptions>(PaymentwallOptions.Section),
        new OptionsSection<RedisOptions>(RedisOptions.Section), new OptionsSection<HostingOptions>(HostingOptions.Section),
        new OptionsSection<Gateway.Configuration.HostingOptions>(Gateway.Configuration.HostingOptions.Section),
        new OptionsSection<EgressOptions>(EgressOptions.Section),
    ];

    private static readonly (string Key, string Value)[] Some =
    [
        ("AccessTokens:ClientId", "id"), ("AccessTokens:ClientSecret", "secret"), ("Paymentwall:SecretKey", "secret"), ("Hosting:WarmRequestLogSampling", "0.5"),
        ("Redis:ConnectionString", "redis:6379,password=secret"), ("ReverseProxy:Routes:a:ClusterId", "billing"),
    ];

    [Fact]
    public void Replicas_that_are_configured_alike_have_the_same_hash_however_it_is_written_down()
    {
        var hash = Hash(Some);

        Assert.Matches("^[0-9a-f]{16}$", hash);
        Assert.Equal(hash, Hash(Some));
        Assert.Equal(hash, Hash([.. Some.Reverse()]));
        Assert.Equal(hash, Hash([.. Some.Select(pair => (pair.Key.ToUpperInvariant(), pair.Value))]));
    }

    [Theory]
    [InlineData("AccessTokens:ClientSecret")]
    [InlineData("accesstokens:clientsecret")]
    [InlineData("AccessTokens:EncryptionKey")]
    [InlineData("Paymentwall:SecretKey")]
    [InlineData("Redis:ConnectionString")]
    [InlineData("Proxy:Address")]
    [InlineData("Proxy:Password")]
    public void Secrets_are_not_part_of_it(string secret)
    {
        Assert.Equal(Hash(Some), Hash([.. Some, (secret, "another")]));
    }

    [Theory]
    [InlineData("AccessTokens:ClientId")]
    [InlineData("Hosting:WarmRequestLogSampling")]
    [InlineData("Hosting:PropagateTraceContext")]
    [InlineData("ReverseProxy:Routes:a:ClusterId")]
    [InlineData("Redis:KeyPrefix")]
    [InlineData("Proxy:User")]
    public void Every_other_key_of_the_gateway_is(string key)
    {
        Assert.NotEqual(Hash(Some), Hash([.. Some, (key, "another")]));
    }

    [Fact]
    public void What_is_not_the_gateway_s_is_not() => Assert.Equal(Hash(Some), Hash([.. Some, ("PATH", "/bin")]));

    private static string Hash((string Key, string Value)[] settings)
    {
        var builder = new ConfigurationBuilder();
        foreach (var (key, value) in settings)
        {
            builder.AddInMemoryCollection([new(key, value)]);
        }

        return HealthDetails.ConfigurationHash(Sections, builder.Build());
    }
}
