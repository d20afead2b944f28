using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>
/// Three gateways in production's settings behind the project's own haproxy configuration, under steady load: what a deployment, a
/// crash and a restart of Redis cost the customers. The figures go to the output; <c>./dev cluster --drill</c> shows them.
/// </summary>
public sealed class ClusterTests(ITestOutputHelper output)
{
    private const int Replicas = 3;
    private const int SigTerm = 15;

    [Fact]
    public async Task A_rolling_restart_of_all_replicas_fails_no_request()
    {
        await using var cluster = await Cluster.StartAsync();

        await RollAsync(cluster, cluster.Haproxy.Address, "rolling restart of 3");
    }

    [Fact]
    public async Task Behind_the_nginx_sample_a_rolling_restart_fails_no_request_either()
    {
        Assert.SkipUnless(NginxProcess.IsInstalled, "Needs nginx.");
        await using var cluster = await Cluster.StartAsync();
        await using var nginx = await NginxSample.StartAsync([.. cluster.Gateways.Select(gateway => gateway.Address)]);

        await RollAsync(cluster, nginx.Address, "the same behind nginx");
    }

    [Fact]
    public async Task A_replica_that_is_killed_costs_at_most_what_it_was_answering()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var load = SteadyLoad.Start(cluster.Haproxy.Address);
        await load.MoreAsync(500);

        await cluster.Gateways[1].KillAsync();
        await GatewayProcess.EventuallyAsync(async () => await cluster.Haproxy.UpAsync() == Replicas - 1, TimeSpan.FromSeconds(10));
        await load.MoreAsync(500);

        output.WriteLine("kill -9 of 1 of 3: " + await load.StopAsync());

        // Sixteen customers, a third of them at the one that was killed; haproxy asks another for what had not begun to be answered.
        Assert.InRange(load.Failures.Count, 0, 6);
    }

    [Fact]
    public async Task A_restart_of_redis_fails_no_request()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var load = SteadyLoad.Start(cluster.Haproxy.Address);
        await load.MoreAsync(500);

        await cluster.Redis.KillAsync();
        await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.LogLineAsync("Redis is not in use")));
        await load.MoreAsync(500);
        await cluster.Redis.RestartAsync();
        await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.RedisIsUpAsync()));
        await load.MoreAsync(500);

        output.WriteLine("restart of Redis: " + await load.StopAsync());
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task A_post_whose_replica_dies_is_not_sent_to_another()
    {
        await using var cluster = await Cluster.StartAsync();
        await cluster.Simulator.FaultAsync("billing", new { match = "/v1/once", hang = true });
        using var client = new HttpClient { BaseAddress = cluster.Haproxy.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/billing/v1/once") { Content = new StringContent("{}") };
        request.Headers.Add("X-Api-Key", GatewayProcess.ProxyKey);
        var answer = client.SendAsync(request, TestContext.Current.CancellationToken);
        await GatewayProcess.EventuallyAsync(async () => await ReceivedAsync() == 1, TimeSpan.FromSeconds(5));

        await cluster.Gateways[await cluster.Haproxy.BusyAsync()].KillAsync();

        Assert.False((await answer).IsSuccessStatusCode);
        Assert.Equal(1, await ReceivedAsync());

        async Task<int> ReceivedAsync() => (await cluster.Simulator.ReceivedAsync("billing")).Count(received => received.Path == "/v1/once");
    }

    private async Task RollAsync(Cluster cluster, Uri address, string name)
    {
        await using var load = SteadyLoad.Start(address);
        await load.MoreAsync(500);

        for (var replica = 0; replica < Replicas; replica++)
        {
            var leaving = cluster.Gateways[replica];
            leaving.Signal(SigTerm);
            Assert.Equal(0, await leaving.ExitCodeAsync());
            await cluster.StartGatewayAsync(replica);
            await load.MoreAsync(200);
        }

        output.WriteLine($"{name}: {await load.StopAsync()}");
        Assert.Empty(load.Failures);
    }
}
