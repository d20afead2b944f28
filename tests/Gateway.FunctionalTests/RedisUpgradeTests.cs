using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>
/// A replica of the last release and one of this build on one Redis, as during a rollout: what they have in common, and what is said to
/// one, is the other's too. <c>PREVIOUS_GATEWAY</c> is the path of the last release's <c>Gateway.dll</c>: <c>./dev upgrade COMMIT</c> makes it
/// and runs these; <c>./dev test</c> leaves them out.
/// </summary>
[Trait("Needs", "the last release")]
public sealed class RedisUpgradeTests
{
    private const string Question = "/catalog?product=builtfor_example&country=FR";
    private const string Sku = "builtfor_example-pro-EUR-monthly";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replica_of_the_last_release_and_one_of_this_build_share_token_values_purges_and_limits(bool newFirst)
    {
        var previous = System.Environment.GetEnvironmentVariable("PREVIOUS_GATEWAY");
        Assert.True(File.Exists(previous), "PREVIOUS_GATEWAY names no build of the last release: run ./dev upgrade COMMIT.");
        (string, string)[] settings = [("Security:RateLimits:Proxy:PermitsPerSecond", "0.01"), ("Security:RateLimits:Proxy:Burst", "5")];
        await using var fleet = await Fleet.StartAsync(0);
        settings = [("Redis:ConnectionString", fleet.Redis.ConnectionString), .. settings];
        await using var old = await GatewayProcess.StartFromAsync(previous!, fleet.Simulator, settings);
        await using var current = await GatewayProcess.StartAsync(fleet.Simulator, settings);
        await Task.WhenAll(old.RedisIsUpAsync(), current.RedisIsUpAsync());
        var (first, second) = newFirst ? (current, old) : (old, current);

        await PriceAsync("1.00");
        Assert.Equal(("1.00", "1.00"), (await AskAsync(first), await AskAsync(second)));
        Assert.Equal((1, 1, 1), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));

        await PriceAsync("2.00");
        await first.PurgeAsync($"sku={Sku}&hard=true");
        await GatewayProcess.EventuallyAsync(async () => await AskAsync(second) == "2.00", TimeSpan.FromSeconds(2));
        await PriceAsync("3.00");
        await second.PurgeAsync($"sku={Sku}&hard=true");
        await GatewayProcess.EventuallyAsync(async () => await AskAsync(first) == "3.00", TimeSpan.FromSeconds(2));

        var limited = await Task.WhenAll(Enumerable.Range(0, 10).Select(n => (n % 2 == 0 ? old : current).GetAsync("/v1/nothing")));
        Assert.Equal(5, limited.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));

        Task PriceAsync(string amount) => fleet.Simulator.PriceAsync(Sku, $$"""{"object":"product","amount":"{{amount}}","currency":"EUR"}""");

        static async Task<string?> AskAsync(GatewayProcess gateway) => (string?)(await gateway.GetAsync(Question)).Component(Sku)["price"]!["amount"];
    }
}
