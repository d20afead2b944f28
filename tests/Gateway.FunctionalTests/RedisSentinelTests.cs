using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A primary with a replica: who is the primary changes under load, and what the old one answers is no success.</summary>
public sealed class RedisSentinelTests : IAsyncLifetime
{
    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failover_under_load_costs_no_answer_and_the_new_primary_is_used(bool isKilled)
    {
        var redis = await RedisSentinelProcess.StartAsync();
        await using var fleet = await Fleet.StartOnAsync(redis, 2);
        await using var load = await FreshLoad.StartAsync(fleet);
        await load.AnswersAsync(100);

        var begun = TimeProvider.System.GetTimestamp();
        await (isKilled ? redis.Servers[0].KillAsync() : redis.FailOverAsync());
        await RedisClusterProcess.EventuallyAsync(async () => await redis.PrimaryAsync() == 1);
        var promoted = TimeProvider.System.GetTimestamp();
        var known = await KeysAsync();
        // One that is not killed is a primary beside the new one until Sentinel has made it a replica, up to ten seconds later, and is used so long.
        await GatewayProcess.EventuallyAsync(async () => (await KeysAsync()).Except(known).Any(), TimeSpan.FromSeconds(30));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"Promoted after {TimeProvider.System.GetElapsedTime(begun, promoted).TotalSeconds:0.0} s, used {TimeProvider.System.GetElapsedTime(promoted).TotalSeconds:0.0} s later");
        await load.AnswersAsync(200);
        if (isKilled)
        {
            // It comes back as the primary that it was, until Sentinel tells it.
            await redis.Servers[0].RestartAsync();
            await RedisClusterProcess.EventuallyAsync(async () => (await redis.Servers[0].InfoAsync()).Contains("role:slave", StringComparison.Ordinal));
            await load.AnswersAsync(200);
        }

        await load.StopAsync();
        await fleet.SharesAllAsync();
        Assert.Equal(1, await redis.PrimaryAsync());

        Task<string[]> KeysAsync() => redis.Servers[1].AskAsync(async (database, _) => (string[])(await database.ExecuteAsync("KEYS", "gateway:v*"))!);
    }

    [Fact]
    public async Task What_a_primary_answers_that_has_become_a_replica_is_no_success()
    {
        await using var other = await RedisServerProcess.StartAsync();
        await using var fleet = await Fleet.StartAsync(2);
        var gateway = fleet.Replicas[0];
        await gateway.CompleteAsync("/catalog?product=bulk_000&prices=skip");
        await fleet.Redis.AskAsync((_, server) => server.ExecuteAsync("REPLICAOF", "127.0.0.1", other.Port));

        var answer = await gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge?product=bulk_000", ("X-Api-Key", GatewayProcess.AdminKey));
        Assert.Equal((HttpStatusCode.Accepted, "this"), (answer.Status, (string?)answer.Json["replicas"]));
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/catalog?product=bulk_001&prices=skip")).Status);
        await gateway.LogLineAsync("\"Reason\":\"READONLY\"");

        await fleet.Redis.AskAsync((_, server) => server.ExecuteAsync("REPLICAOF", "NO", "ONE"));
        await fleet.SharesAllAsync();
    }
}
