using System.Globalization;
using Gateway.Caching;
using Gateway.FunctionalTests.Stack;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Gateway.Tests;

/// <summary>A real Redis for the tests of one class. Each test has keys of its own there, under <see cref="NewPrefix"/>.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private RedisServerProcess? _server;
    private readonly List<RedisConnection> _connections = [];

    public static string NewPrefix() => "test-" + Guid.NewGuid().ToString("N");

    public static void SkipWithoutRedis() => Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");

    public async ValueTask InitializeAsync()
    {
        if (RedisServerProcess.IsInstalled)
        {
            _server = await RedisServerProcess.StartAsync();
            for (var replica = 0; replica < 3; replica++)
            {
                _connections.Add(await ConnectAsync());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _connections.ForEach(connection => connection.Dispose());
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>Three, for as many replicas: making one takes longer than most tests.</summary>
    internal IReadOnlyList<RedisConnection> Connections => _connections;

    /// <summary>Patient, since the machine may be busy; what Redis does not answer in time is tested elsewhere.</summary>
    internal FixedOptions<RedisOptions> Options(string prefix) => Fixed.Options(
        new RedisOptions { ConnectionString = _server!.ConnectionString, KeyPrefix = prefix, OperationTimeout = TimeSpan.FromSeconds(10) });

    /// <summary>A connection that is up. Its own time is the real one, whatever clock its users have.</summary>
    internal async Task<RedisConnection> ConnectAsync()
    {
        var connection = new RedisConnection(Options("test"), TimeProvider.System, NullLogger<RedisConnection>.Instance);
        connection.Start();
        await Quiet.UntilAsync(() => connection.State == RedisState.Up);
        return connection;
    }

    /// <summary>What lies there, or put something there.</summary>
    internal async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask)
    {
        var (done, value) = await _connections[0].TryAsync("TEST", default, ask);
        Assert.True(done);
        return value!;
    }

    /// <summary>What the server has sent to everybody.</summary>
    internal async Task<long> SentBytesAsync() => long.Parse(
        (string)(await AskAsync(database => database.ScriptEvaluateAsync(
            "return string.match(redis.call('INFO', 'stats'), 'total_net_output_bytes:(%d+)')", [], [], RedisConnection.ScriptFlags)))!,
        CultureInfo.InvariantCulture);

    /// <summary>The keys under a prefix.</summary>
    internal async Task<IReadOnlyList<string>> KeysAsync(string prefix)
    {
        var found = await AskAsync(database => database.ScriptEvaluateAsync("return redis.call('KEYS', ARGV[1])", [], [prefix + ":*"], RedisConnection.ScriptFlags));
        return [.. ((string[])found!).Order(StringComparer.Ordinal)];
    }
}
