using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A real Redis, by what the machine offers: a <c>redis-server</c> process; else, where the package set has Testcontainers, a
/// container; else the test is skipped, visibly.
/// </summary>
internal abstract class RedisServer : IAsyncDisposable
{
    public abstract string ConnectionString { get; }

    public static async Task<RedisServer> StartAsync()
    {
        if (RedisServerProcess.IsInstalled)
        {
            return await RedisServerProcess.StartAsync();
        }

#if TESTCONTAINERS
        return await RedisServerContainer.StartAsync();
#else
        Assert.Skip("There is no redis-server on this machine: install the package redis-server.");
        throw new InvalidOperationException();
#endif
    }

    /// <summary>Runs commands on a connection of its own.</summary>
    public async Task<T> AskAsync<T>(Func<IDatabase, IServer, Task<T>> ask)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(ConnectionString + ",allowAdmin=true");
        return await ask(connection.GetDatabase(), connection.GetServer(connection.GetEndPoints()[0]));
    }

    public abstract ValueTask DisposeAsync();

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
