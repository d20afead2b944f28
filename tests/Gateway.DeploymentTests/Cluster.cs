using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>Production on one machine: three gateways at fixed ports, one Redis, the simulator, haproxy before them.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly int[] _ports = [.. Enumerable.Range(0, 3).Select(_ => RedisServer.FreePort())];
    private readonly GatewayProcess[] _gateways = new GatewayProcess[3];

    private Cluster(RedisServerProcess redis, SimulatorProcess simulator) => (Redis, Simulator) = (redis, simulator);

    public RedisServerProcess Redis { get; }

    public SimulatorProcess Simulator { get; }

    public HaproxyProcess Haproxy { get; private set; } = null!;

    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    public static async Task<Cluster> StartAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled && HaproxyProcess.IsInstalled, "Needs redis-server and haproxy.");
        var cluster = new Cluster(await RedisServerProcess.StartAsync(), await SimulatorProcess.StartAsync());
        await Task.WhenAll(Enumerable.Range(0, 3).Select(cluster.StartGatewayAsync));
        cluster.Haproxy = await HaproxyProcess.StartAsync(cluster._ports);
        await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.RedisIsUpAsync()));
        return cluster;
    }

    /// <summary>Starts a replica, or its successor at the same address. Drains as in production: by the defaults.</summary>
    public async Task StartGatewayAsync(int replica) => _gateways[replica] = await GatewayProcess.StartAsync(
        Simulator,
        ("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_ports[replica]}")),
        ("Hosting:DrainDelay", "00:00:05"),
        ("Security:KnownProxies", "127.0.0.1"),
        ("Redis:ConnectionString", Redis.ConnectionString));

    public async ValueTask DisposeAsync()
    {
        await Haproxy.DisposeAsync();

        // Nobody is left to be waited for.
        await Task.WhenAll(_gateways.Select(async gateway =>
        {
            await gateway.KillAsync();
            await gateway.DisposeAsync();
        }));
        await Simulator.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
