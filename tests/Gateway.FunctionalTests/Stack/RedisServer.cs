using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A real Redis, by what the machine offers: a <c>redis-server</c> process; else a container; else the test is skipped,
/// visibly. <c>GATEWAY_TEST_REDIS</c> says of which form: <c>single</c> (default), <c>cluster</c>, <c>sentinel</c>, <c>tls</c> (with an ACL),
/// <c>valkey</c> or <c>garnet</c>.
/// </summary>
internal abstract class RedisServer : IAsyncDisposable
{
    /// <summary>What a <c>redis-server</c> writes into its folder, and loads when it starts.</summary>
    protected const string SavedFile = "dump.rdb";

    private static readonly Socket Refusing = BoundToAnyPort();

    public abstract string ConnectionString { get; }

    /// <summary>What a gateway needs to use it.</summary>
    public virtual (string Key, string Value)[] GatewaySettings => [("Redis:ConnectionString", ConnectionString)];

    /// <summary>The gateway's.</summary>
    public virtual string AclUser => "default";

    /// <summary>For connections of the tests themselves, with all rights.</summary>
    protected virtual ConfigurationOptions Operator => ConfigurationOptions.Parse(ConnectionString + ",allowAdmin=true");

    /// <summary>Of the form that is tested.</summary>
    public static string Form { get; } = System.Environment.GetEnvironmentVariable("GATEWAY_TEST_REDIS") is { Length: > 0 } form ? form : "single";

    /// <summary>What is started, for every form but <c>garnet</c>.</summary>
    protected static string Program => Form == "valkey" ? "valkey-server" : "redis-server";

    public static async Task<RedisServer> StartAsync() => Form switch
    {
        _ when !RedisServerProcess.IsInstalled => await RedisServerContainer.StartAsync(),
        "single" or "valkey" => await RedisServerProcess.StartAsync(),
        "cluster" => await RedisClusterProcess.StartAsync(),
        "sentinel" => await RedisSentinelProcess.StartAsync(),

        // Each scenario has a prefix of its own.
        "tls" => await RedisSecureProcess.StartAsync("~s*", "&s*:purge"),
        "garnet" => await GarnetProcess.StartAsync(),
        _ => throw new InvalidOperationException($"GATEWAY_TEST_REDIS: there is no form {Form}."),
    };

    /// <summary>SIGKILL, of every server.</summary>
    public abstract Task KillAsync();

    /// <summary>Starts every server again, empty, at the same place.</summary>
    public abstract Task RestartAsync();

    /// <summary>To every server.</summary>
    public abstract void Signal(int signal);

    /// <summary>Runs commands on a connection of its own.</summary>
    public async Task<T> AskAsync<T>(Func<IDatabase, IServer, Task<T>> ask)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Operator);
        return await ask(connection.GetDatabase(), Array.Find(connection.GetServers(), IsPrimary) ?? connection.GetServers()[0]);
    }

    /// <summary>Asks every server that there is, on connections of its own.</summary>
    public async Task<IReadOnlyList<T>> EveryNodeAsync<T>(Func<IServer, Task<T>> ask)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Operator);
        return await Task.WhenAll(connection.GetServers().Select(ask));
    }

    /// <summary>All keys, wherever they lie.</summary>
    public async Task<List<string>> KeysAsync(string pattern = "*") =>
        [.. (await EveryNodeAsync(async server => IsPrimary(server) ? (string[])(await server.ExecuteAsync("KEYS", pattern))! : [])).SelectMany(keys => keys)];

    public Task FlushAsync() => EveryNodeAsync(async server => IsPrimary(server) ? await server.ExecuteAsync("FLUSHALL") : null);

    private static bool IsPrimary(IServer server) => server is { IsConnected: true, IsReplica: false };

    public abstract ValueTask DisposeAsync();

    /// <summary>Of nobody, now and later: what connects is refused.</summary>
    internal static string RefusingAddress => Refusing.LocalEndPoint!.ToString()!;

    internal static int FreePort()
    {
        using var socket = BoundToAnyPort();
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static Socket BoundToAnyPort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
