using System.Net;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The token: obtained once, shared in Redis, encrypted there, replaced when an upstream refuses it.</summary>
[Trait("Redis", "any form, in short")]
public sealed class AccessTokenTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private int _asked;

    /// <summary>A question that nobody has asked before, so that Billing must be.</summary>
    private string Catalog
    {
        get
        {
            var asked = Interlocked.Increment(ref _asked);
            return $"/catalog?product=bulk_{asked % 50:000}&lang={(asked < 50 ? "en" : "fr")}&prices=skip";
        }
    }

    public async ValueTask InitializeAsync()
    {
        await stack.Simulator.ResetAsync();
        await stack.Redis.FlushAsync();
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Without_a_discovery_document_the_token_endpoint_is_enough_and_nothing_else_is_asked_for()
    {
        await using var simulator = await SimulatorProcess.StartAsync("--Simulator:Discovery=false");
        await using var without = await GatewayProcess.StartAsync(simulator);
        Assert.Equal("tokenUnavailable", (await without.GetAsync(Catalog)).Code);
        var asked = (await simulator.ReceivedAsync("authorization")).Count;

        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("AccessTokens:TokenEndpoint", new Uri(simulator.Authority, "oauth2/token").AbsoluteUri));

        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        Assert.All((await simulator.ReceivedAsync("authorization")).Skip(asked), request => Assert.Equal("/oauth2/token", request.Path));
    }

    [Fact]
    public async Task Replicas_with_another_encryption_key_keep_a_token_of_their_own()
    {
        var key = Convert.ToBase64String(Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef"));
        await using var first = await stack.StartGatewayAsync();
        await using var second = await stack.StartGatewayAsync(("AccessTokens:EncryptionKey", key));
        await Task.WhenAll(first.RedisIsUpAsync(), second.RedisIsUpAsync());

        foreach (var gateway in new[] { first, second, first, second })
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        }

        Assert.Equal(2, await stack.Simulator.TokenRequestsAsync());
        Assert.Equal(2, (await stack.Redis.KeysAsync("gateway:token:*")).Count);
    }

    [Fact]
    public async Task Token_lies_encrypted_in_redis_and_leaves_before_it_expires()
    {
        await using var gateway = await stack.StartGatewayAsync();
        await gateway.RedisIsUpAsync();
        await gateway.GetAsync(Catalog);

        var token = (await stack.Simulator.ReceivedAsync("billing"))[^1].Header("Authorization")!["Bearer ".Length..];
        var key = Assert.Single(await stack.Redis.KeysAsync("gateway:token:*"));
        var (wire, life) = await stack.Redis.AskAsync(async (database, _) =>
        {
            return ((byte[])(await database.StringGetAsync(key))!, (await database.KeyTimeToLiveAsync(key))!.Value);
        });
        Assert.DoesNotContain(token[..20], Encoding.Latin1.GetString(wire), StringComparison.Ordinal);
        Assert.InRange(life, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(59.6));
    }

    [Fact]
    public async Task Short_lived_token_is_used_while_it_lives_and_replaced_after()
    {
        await stack.Simulator.TokenSettingsAsync(new { lifetimeSeconds = 2 });
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator);
        await gateway.GetAsync(Catalog);
        await gateway.GetAsync(Catalog);
        Assert.Equal(1, await stack.Simulator.TokenRequestsAsync());

        // The simulator's clock is the real one: nothing but waiting makes a token expire.
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        Assert.Equal(2, await stack.Simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task Token_request_is_what_the_vendor_documents()
    {
        await using var gateway = await stack.StartGatewayAsync();
        await gateway.GetAsync(Catalog);

        var request = Assert.Single(await stack.Simulator.ReceivedAsync("authorization"), request => request.Method == "POST");
        var credentials = Encoding.UTF8.GetString(Convert.FromBase64String(request.Header("Authorization")!["Basic ".Length..]));
        Assert.Equal("demo%3Aclient%2F1:demo+secret%2B%26%2F%3A1", credentials);
    }

    [Fact]
    public async Task Redis_killed_and_started_again_is_survived_and_used_again_with_one_line_per_change()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine to be killed.");
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await stack.StartGatewayAsync(
            [.. redis.GatewaySettings, ("Redis:OperationTimeout", "00:00:02")]);
        await gateway.RedisIsUpAsync();
        await gateway.GetAsync(Catalog);

        await redis.KillAsync();
        await gateway.LogLineAsync("Redis is not in use");
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        await redis.RestartAsync();
        await gateway.RedisIsUpAsync();
        await stack.Simulator.RevokeTokensAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        Assert.Single(await redis.KeysAsync("gateway:token:*"));
        var changes = gateway.Log.Split('\n').Where(line => line.Contains("\"@m\":\"Redis is", StringComparison.Ordinal)).ToList();

        // Of several nodes one may be back before the others: what it answers until they are is another change.
        Assert.True(changes.Count == 3 || (changes.Count == 5 && RedisServer.Form is "cluster" or "sentinel"), string.Join('\n', changes));
    }
}
