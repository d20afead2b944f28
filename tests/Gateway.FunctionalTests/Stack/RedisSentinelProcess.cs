using System.Globalization;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A primary, a replica of it, and a Sentinel that makes the one the other when it is gone for a second.</summary>
internal sealed class RedisSentinelProcess : RedisServer
{
    private const string Service = "main";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("redis-sentinel-");
    private readonly List<RedisServerProcess> _servers = [];
    private readonly int _port = FreePort();
    private ChildProcess? _sentinel;

    private RedisSentinelProcess()
    {
    }

    public override string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port},serviceName={Service}");

    /// <summary>The primary first, as it was in the beginning.</summary>
    public IReadOnlyList<RedisServerProcess> Servers => _servers;

    public static new async Task<RedisSentinelProcess> StartAsync()
    {
        var all = new RedisSentinelProcess();
        try
        {
            var primary = await RedisServerProcess.StartAsync("--repl-diskless-sync-delay", "0");
            all._servers.Add(primary);
            all._servers.Add(await RedisServerProcess.StartAsync(
                "--replicaof", "127.0.0.1 " + primary.Port.ToString(CultureInfo.InvariantCulture), "--repl-diskless-sync-delay", "0"));
            var file = Path.Combine(all._folder.FullName, "sentinel.conf");
            await File.WriteAllTextAsync(
                file,
                string.Create(CultureInfo.InvariantCulture, $"""
                    port {all._port}
                    bind 127.0.0.1
                    dir {all._folder.FullName}
                    sentinel monitor {Service} 127.0.0.1 {primary.Port} 1
                    sentinel down-after-milliseconds {Service} 1000
                    sentinel failover-timeout {Service} 5000

                    """),
                TestContext.Current.CancellationToken);
            await RedisClusterProcess.EventuallyAsync(async () => (await all._servers[1].InfoAsync()).Contains("master_link_status:up", StringComparison.Ordinal));
            all._sentinel = ChildProcess.Start(Program, [file, "--sentinel"], []);
            await all._sentinel.LineAsync(line => line.Contains("+slave slave", StringComparison.Ordinal));
            return all;
        }
        catch
        {
            await all.DisposeAsync();
            throw;
        }
    }

    /// <summary>The number of the server that is the primary now, by Sentinel's word and its own.</summary>
    public async Task<int> PrimaryAsync()
    {
        var address = (string[])(await SentinelAsync("get-master-addr-by-name"))!;
        var number = _servers.FindIndex(server => server.Port.ToString(CultureInfo.InvariantCulture) == address[1]);
        return (await _servers[number].InfoAsync()).Contains("role:master", StringComparison.Ordinal) ? number : -1;
    }

    /// <summary>As an operator does before maintenance: the old primary stays, as a replica.</summary>
    public Task FailOverAsync() => SentinelAsync("failover");

    public override Task KillAsync() => Task.WhenAll(_servers.Select(server => server.KillAsync()));

    /// <summary>The servers are what they were in the beginning, which Sentinel, if it has others in mind, changes.</summary>
    public override Task RestartAsync() => Task.WhenAll(_servers.Select(server => server.RestartAsync()));

    public override void Signal(int signal) => _servers.ForEach(server => server.Signal(signal));

    public override async ValueTask DisposeAsync()
    {
        if (_sentinel is not null)
        {
            await _sentinel.DisposeAsync();
        }

        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    private async Task<RedisResult> SentinelAsync(string command)
    {
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", _port } }, CommandMap = CommandMap.Sentinel, AllowAdmin = true };
        using var connection = await ConnectionMultiplexer.SentinelConnectAsync(options);
        return await connection.GetServer("127.0.0.1", _port).ExecuteAsync("SENTINEL", command, Service);
    }
}
