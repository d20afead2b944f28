using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Whoever is on call sees within seconds which dependency is gone, and that it is back.</summary>
[Trait("Redis", "any form")]
public sealed class HealthDetailsTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private static readonly (string, string) Key = ("X-Api-Key", GatewayProcess.AdminKey);

    [Theory]
    [InlineData("billing", "billing")]
    [InlineData("paymentwall", "paymentwall")]
    [InlineData("authorization", "authorization")]
    public async Task An_upstream_that_is_gone_shows_in_details_and_one_line_and_clears_by_itself(string upstream, string name)
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Catalog:FreshFor", "00:00:01"), ("Catalog:NotFoundFor", "00:00:01"));
        if (upstream != "authorization")
        {
            await gateway.GetAsync("/catalog/builtfor_example?country=US");
            Assert.Equal("ok", await StatusAsync(gateway, name));
        }

        await simulator.FaultAsync(upstream, new { drop = true });
        await WhileAskingAsync(gateway, async () => await StatusAsync(gateway, name) == "failing");
        Assert.Equal("degraded", (string?)(await gateway.GetAsync("/health/details", Key)).Json["status"]);

        await simulator.ClearFaultsAsync();
        await WhileAskingAsync(gateway, async () => await StatusAsync(gateway, name) == "ok");
        await gateway.LogLineAsync("is well again");

        Assert.Single(gateway.Log.Split('\n'), line => line.Contains("\"Id\":1901", StringComparison.Ordinal));
        Assert.Single(gateway.Log.Split('\n'), line => line.Contains("\"Id\":1902", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_Redis_that_is_gone_shows_in_details_and_one_line_and_clears_by_itself()
    {
        await using var fleet = await Fleet.StartAsync(1);
        var gateway = fleet.Replicas[0];

        await fleet.Redis.KillAsync();
        await GatewayProcess.EventuallyAsync(async () => (string?)(await DetailsAsync(gateway))["redis"]!["state"] == "down", Soon);
        await gateway.LogLineAsync("Redis is not in use");

        await fleet.Redis.RestartAsync();
        await GatewayProcess.EventuallyAsync(async () => (string?)(await DetailsAsync(gateway))["redis"]!["state"] == "up", TimeSpan.FromSeconds(15));

        // Of several servers some are back before the others.
        Assert.InRange(gateway.Log.Split('\n').Count(line => line.Contains("\"Id\":2003", StringComparison.Ordinal)), 1, RedisServer.Form is "cluster" or "sentinel" ? 3 : 1);
    }

    [Fact]
    public async Task Details_are_for_administrators_and_tell_what_there_is_to_know()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);
        await gateway.GetAsync("/catalog/builtfor_example");

        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.GetAsync("/health/details")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.ProxyKey))).Status);

        var answer = await gateway.GetAsync("/health/details", Key);
        var details = answer.Json;
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal("healthy", (string?)details["status"]);
        Assert.Matches("^[0-9]+\\.[0-9]+", (string?)details["version"]);
        Assert.Matches("^[0-9a-f]{16}$", (string?)details["configurationHash"]);
        Assert.Equal(("closed", 0d), ((string?)details["upstreams"]!["paymentwall"]!["circuit"], (double)details["upstreams"]!["paymentwall"]!["errorRateLastMinute"]!));
        Assert.NotNull((string?)details["upstreams"]!["billing"]!["lastSuccess"]);
        Assert.True((bool)details["token"]!["present"]! && (double)details["token"]!["ageSeconds"]! >= 0);
        Assert.Equal("off", (string?)details["redis"]!["state"]);
        Assert.True((int)details["cache"]!["entries"]! > 10 && (long)details["cache"]!["bytes"]! > 1_000);
        Assert.Equal(2_000, (int)details["requests"]!["limit"]!);
    }

    private static async Task<JsonNode> DetailsAsync(GatewayProcess gateway) => (await gateway.GetAsync("/health/details", Key)).Json;

    private static async Task<string?> StatusAsync(GatewayProcess gateway, string upstream) => (string?)(await DetailsAsync(gateway))["upstreams"]![upstream]!["status"];

    /// <summary>A replica learns of its upstreams by calling them, so somebody must ask: other questions all the time.</summary>
    private static async Task WhileAskingAsync(GatewayProcess gateway, Func<Task<bool>> isSo)
    {
        string[] countries = ["FR", "GB", "IT", "ES", "CH", "SE", "NO", "PL", "BR", "IN", "MX", "CA"];
        var asked = 0;
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await gateway.GetAsync($"/catalog/builtfor_example?country={countries[asked++ % countries.Length]}");
                await gateway.PurgeAsync();
                return await isSo();
            },
            Soon);
    }
}
