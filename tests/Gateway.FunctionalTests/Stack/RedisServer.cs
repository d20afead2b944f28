using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A real Redis, by what the machine offers: a <c>redis-server</c> process; else a container; else the test is skipped,
/// visibly.
/// </summary>
internal abstract class RedisServer : IAsyncDisposable
{
    public abstract string ConnectionString { get; }

    /// <summary>What a gateway needs to use it.</summary>
    public virtual (string Key, string Value)[] GatewaySettings => [("Redis:ConnectionString", ConnectionString)];

    /// <summary>For connections of the tests themselves, with all rights.</summary>
    protected virtual ConfigurationOptions Operator => ConfigurationOptions.Parse(ConnectionString + ",allowAdmin=true");

    public static async Task<RedisServer> StartAsync()
    {
        if (RedisServerProcess.IsInstalled)
        {
            return await RedisServerProcess.StartAsync();
        }

        return await RedisServerContainer.StartAsync();
    }

    /// <summary>Runs commands on a connection of its own.</summary>
    public async Task<T> AskAsync<T>(Func<IDatabase, IServer, Task<T>> ask)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Operator);
        return await ask(connection.GetDatabase(), connection.GetServer(connection.GetEndPoints()[0]));
    }

    /// <summary>Asks every server that there is, on connections of its own.</summary>
    public async Task<IReadOnlyList<T>> EveryNodeAsync<T>(Func<IServer, Task<T>> ask)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Operator);
        return await Task.WhenAll(connection.GetServers().Select(ask));
    }

    public abstract ValueTask DisposeAsync();

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
