using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>Production on one machine: three gateways at fixed ports, one Redis, the simulator, haproxy before them.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly (int Port, int Management)[] _ports = [.. Enumerable.Range(0, 3).Select(_ => (RedisServer.FreePort(), RedisServer.FreePort()))];
    private readonly GatewayProcess[] _gateways = new GatewayProcess[3];

    private readonly (string Key, string Value)[] _settings;

    private Cluster(RedisServerProcess redis, SimulatorProcess simulator, (string Key, string Value)[] settings) =>
        (Redis, Simulator, _settings) = (redis, simulator, settings);

    public RedisServerProcess Redis { get; }

    public SimulatorProcess Simulator { get; }

    public HaproxyProcess Haproxy { get; private set; } = null!;

    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    public static Task<Cluster> StartAsync() => StartAsync([], [], haproxyAdditions: null);

    /// <param name="settings">The gateways', over production's.</param>
    /// <param name="simulatorArguments">Its settings.</param>
    /// <param name="haproxyAdditions">Lines for haproxy's frontend.</param>
    public static async Task<Cluster> StartAsync((string Key, string Value)[] settings, string[] simulatorArguments, string? haproxyAdditions)
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled && HaproxyProcess.IsInstalled, "Needs redis-server and haproxy.");
        var cluster = new Cluster(await RedisServerProcess.StartAsync(), await SimulatorProcess.StartAsync(simulatorArguments), settings);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(cluster.StartGatewayAsync));
        cluster.Haproxy = await HaproxyProcess.StartAsync(cluster._ports, haproxyAdditions);
        await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.RedisIsUpAsync()));
        return cluster;
    }

    /// <summary>Starts a replica, or its successor at the same address. Drains as in production: by the defaults.</summary>
    public async Task StartGatewayAsync(int replica) => _gateways[replica] = await GatewayProcess.StartAsync(
        Simulator,
        [("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_ports[replica].Port}")),
        ("Hosting:ManagementPort", _ports[replica].Management.ToString(CultureInfo.InvariantCulture)),
        ("Hosting:DrainDelay", "00:00:05"),
        ("Security:KnownProxies", "127.0.0.1"),
        ("Redis:ConnectionString", Redis.ConnectionString),
        .. _settings]);

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
