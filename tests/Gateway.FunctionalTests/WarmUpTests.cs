using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Ready means warmed: what the first customer would wait for is done, and nothing is asked for that Redis has.</summary>
public sealed class WarmUpTests
{
    private static readonly (string, string) Products = ("Catalog:Products:0", "builtfor_example");

    private static readonly (string, string) On = ("Hosting:WarmUpTimeout", "00:00:05");

    [Fact]
    public async Task Once_ready_the_first_customer_waits_for_no_upstream_and_the_second_replica_asks_none()
    {
        await using var fleet = await Fleet.StartAsync(1, Products, On);
        await ReadyAsync(fleet.Replicas[0], "done");
        var calls = await CallsAsync(fleet.Simulator);
        Assert.Equal((1, 1), (calls.Tokens, calls.Billing));
        Assert.NotEqual(0, calls.Paymentwall);

        var second = await fleet.AddAsync(Products, On);
        await ReadyAsync(second, "done");
        foreach (var replica in fleet.Replicas)
        {
            var answer = await replica.GetAsync("/catalog");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Contains("cache;desc=\"hit\"", answer.Header("Server-Timing"), StringComparison.Ordinal);
        }

        Assert.Equal(calls, await CallsAsync(fleet.Simulator));
    }

    [Fact]
    public async Task A_token_server_that_hangs_delays_it_by_its_bound_and_it_is_degraded_until_it_has_a_token()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await simulator.FaultAsync("authorization", new { hang = true });
        await using var gateway = await GatewayProcess.StartAsync(simulator, Products, ("Hosting:WarmUpTimeout", "00:00:01"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.GetAsync("/health/ready")).Status);
        await ReadyAsync(gateway, "incomplete");
        await gateway.LogLineAsync("the access token could not be had");

        await simulator.ClearFaultsAsync();
        await gateway.CompleteAsync("/catalog");
        await ReadyAsync(gateway, "done");
    }

    [Theory]
    [InlineData("AllowedHosts", "shop.example;*.shop.example")]
    [InlineData("Security:RequireKeyForCatalog", "true")]
    [InlineData("Security:RateLimits:Catalog:Burst", "1")]
    [InlineData("Hosting:ManagementPort", "0")]
    [InlineData("Catalog:Products:0", "no_such_product")]
    public async Task It_answers_itself_whoever_else_may_not_ask(string key, string value)
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, Products, On, ("Security:RateLimits:Catalog:PermitsPerSecond", "1"), ("Security:RateLimits:Catalog:Burst", "2"),
            ("Hosting:WarmRequestLogSampling", "1"), (key, value));

        await ReadyAsync(gateway, "done");

        await gateway.LogLineAsync("\"RequestPath\":\"/catalog\"");
        Assert.DoesNotContain("The warm-up failed", gateway.Log, StringComparison.Ordinal);
        Assert.Equal(1, await simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task Without_configured_products_there_is_a_token()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, On);

        await ReadyAsync(gateway, "done");

        await gateway.LogLineAsync("\"RequestPath\":\"/catalog\"");
        Assert.Equal((1, 0, 0), await CallsAsync(simulator));
    }

    private static Task ReadyAsync(GatewayProcess gateway, string warmUp) => GatewayProcess.EventuallyAsync(
        async () => await gateway.GetAsync("/health/ready") is { Status: HttpStatusCode.OK } ready && (string?)ready.Json["warmUp"] == warmUp, TimeSpan.FromSeconds(15));

    private static async Task<(int Tokens, int Billing, int Paymentwall)> CallsAsync(SimulatorProcess simulator) =>
        (await simulator.TokenRequestsAsync(), await simulator.TotalAsync("billing"), await simulator.TotalAsync("paymentwall"));
}
