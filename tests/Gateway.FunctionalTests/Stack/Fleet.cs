using System.Net;

namespace Gateway.FunctionalTests.Stack;

/// <summary>Several replicas of the gateway behind one Redis and one simulator, all of them the test's own, to be broken at will.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly List<GatewayProcess> _replicas = [];

    private Fleet(RedisServer redis, SimulatorProcess simulator) => (Redis, Simulator) = (redis, simulator);

    public RedisServer Redis { get; }

    public SimulatorProcess Simulator { get; }

    public IReadOnlyList<GatewayProcess> Replicas => _replicas;

    public static async Task<Fleet> StartAsync(int replicas, params (string Key, string Value)[] settings)
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine to be broken.");
        return await StartOnAsync(await RedisServer.StartAsync(), replicas, settings);
    }

    /// <param name="redis">Ends with the fleet.</param>
    /// <param name="replicas">How many.</param>
    /// <param name="settings">Of every replica.</param>
    public static async Task<Fleet> StartOnAsync(RedisServer redis, int replicas, params (string Key, string Value)[] settings)
    {
        var fleet = new Fleet(redis, await SimulatorProcess.StartAsync());
        await Task.WhenAll(Enumerable.Range(0, replicas).Select(_ => fleet.AddAsync(settings)));
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.RedisIsUpAsync()));
        return fleet;
    }

    public async Task<GatewayProcess> AddAsync(params (string Key, string Value)[] settings)
    {
        var replica = await GatewayProcess.StartAsync(
            Simulator, [.. Redis.GatewaySettings, ("Catalog:MaxProducts", "50"), .. settings]);
        lock (_replicas)
        {
            _replicas.Add(replica);
        }

        return replica;
    }

    /// <summary>So many requests to every replica, all at once.</summary>
    public Task<Answer[]> AskAllAsync(int times, Func<int, string> path) =>
        Task.WhenAll(Replicas.SelectMany(replica => Enumerable.Range(0, times).Select(n => replica.GetAsync(path(n)))));

    /// <summary>How often Paymentwall was asked for the SKU that it was asked for most.</summary>
    public async Task<int> MostCallsPerSkuAsync() => (await Simulator.ReceivedAsync("paymentwall"))
        .GroupBy(request => request.Query("ag_external_id") + request.Query("country_code"))
        .Max(group => (int?)group.Count()) ?? 0;

    public Task<int> ComponentCallsAsync() => Simulator.CountAsync("billing", "GET /v1/products/{productId}/components");

    /// <summary>What one replica loads the other finds, wherever it lies.</summary>
    public async Task SharesAllAsync()
    {
        // What had been gone is left alone for a while after it is back.
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                var before = await ComponentCallsAsync();
                var language = FreshLoad.NextLanguage();
                foreach (var replica in Replicas)
                {
                    foreach (var product in Enumerable.Range(0, 20))
                    {
                        Assert.Equal(HttpStatusCode.OK, (await replica.GetAsync($"/catalog?product=bulk_{product:000}&lang={language}&prices=skip")).Status);
                    }
                }

                return await ComponentCallsAsync() - before == 20;
            },
            TimeSpan.FromSeconds(30));

        // By message: without one it would take up to ten seconds.
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                var language = FreshLoad.NextLanguage();
                var path = $"/catalog?product=bulk_000&lang={language}&prices=skip";
                await Replicas[0].GetAsync(path);
                await Replicas[1].GetAsync(path);
                var before = await ComponentCallsAsync();
                await Replicas[0].PurgeAsync("product=bulk_000&hard=true");
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
                await Replicas[1].GetAsync(path);
                return await ComponentCallsAsync() == before + 1;
            },
            TimeSpan.FromSeconds(5));
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_replicas.Select(replica => replica.DisposeAsync().AsTask()));
        await Simulator.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
