using Gateway.Caching;
using Gateway.FunctionalTests.Stack;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Gateway.Tests.Caching;

/// <summary>A real Redis that is full, may not be written, or cannot save: it still has what it has, and that is used.</summary>
public sealed class RefusingRedisTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("refusing").FullName;
    private readonly TestClock _time = new();
    private readonly LogRecorder<RedisConnection> _log = new();
    private readonly List<CacheUnderTest> _replicas = [];
    private readonly List<RedisConnection> _connections = [];
    private RedisServerProcess _redis = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");
        _redis = await RedisServerProcess.StartAsync("--save", "3600 1", "--dir", _folder);
    }

    public async ValueTask DisposeAsync()
    {
        _replicas.ForEach(replica => replica.Dispose());
        _connections.ForEach(connection => connection.Dispose());
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("OOM")]
    [InlineData("NOREPLICAS")]
    [InlineData("NOPERM")]
    [InlineData("MISCONF")]
    public async Task A_write_that_is_refused_is_said_once_and_what_is_there_is_still_read(string code)
    {
        var a = await ReplicaAsync("A-");
        var b = await ReplicaAsync("B-");
        await Task.WhenAll(a.Ask("a", "b"));
        await StoredAsync(2);
        await RefuseAsync(code, refuse: true);

        // In one question, what is there and what is not.
        Assert.Equal(["A-a1", "B-c1"], (await Task.WhenAll(b.Ask("a", "c"))).Select(answer => answer.Value));
        await b.LandedAsync();
        Assert.Equal("B-d1", (await b.AskOneAsync("d")).Value);
        await b.LandedAsync();
        Assert.Equal("A-b1", (await b.AskOneAsync("b")).Value);

        Assert.Equal(RedisState.Up, _connections[1].State);
        Assert.True(b.Purges.IsSynced);
        var said = Assert.Single(_log.Lines, line => line.Level == LogLevel.Warning);
        Assert.Equal(2004, said.Id);
        Assert.StartsWith($"Redis refuses commands ({code}), and what it still does is used. ", said.Text, StringComparison.Ordinal);

        await RefuseAsync(code, refuse: false);
        await b.AskOneAsync("e");
        await StoredAsync(3);
        Assert.DoesNotContain(2005, _log.Ids);
        _time.Advance(RedisConnection.RefusalPassed);
        await b.AskOneAsync("f");
        await StoredAsync(4);
        Assert.Single(_log.Ids, 2005);
    }

    private async Task RefuseAsync(string code, bool refuse)
    {
        await (code switch
        {
            "OOM" => DoAsync("CONFIG", "SET", "maxmemory", refuse ? "1" : "0"),
            "NOREPLICAS" => DoAsync("CONFIG", "SET", "min-replicas-to-write", refuse ? "1" : "0"),
            "NOPERM" => DoAsync("ACL", "SETUSER", "default", refuse ? "-@write" : "+@write"),
            _ => FailToSaveAsync(refuse),
        });

        Task DoAsync(string command, params object[] arguments) => _redis.AskAsync((database, _) => database.ExecuteAsync(command, arguments));

        async Task FailToSaveAsync(bool fail)
        {
            if (fail)
            {
                Directory.Delete(_folder, recursive: true);
            }
            else
            {
                await DoAsync("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
                return;
            }

            await DoAsync("BGSAVE");
            await Quiet.UntilAsync(async () => (await _redis.AskAsync((_, server) => server.InfoRawAsync("persistence")))!.Contains("rdb_last_bgsave_status:err", StringComparison.Ordinal));
        }
    }

    private Task StoredAsync(int values) => Quiet.UntilAsync(async () =>
        await _redis.AskAsync((_, server) => Task.FromResult(server.Keys(pattern: "test:v*:texts:*").Count())) == values
        && await _redis.AskAsync((_, server) => Task.FromResult(!server.Keys(pattern: "test:*lease*").Any())));

    private async Task<CacheUnderTest> ReplicaAsync(string name)
    {
        var options = Fixed.Options(new RedisOptions { ConnectionString = _redis.ConnectionString, KeyPrefix = "test", OperationTimeout = TimeSpan.FromSeconds(5) });
        var connection = new RedisConnection(options, _time, _log);
        _connections.Add(connection);
        connection.Start();
        var replica = new CacheUnderTest(connection, options) { Name = name };
        _replicas.Add(replica);
        await Quiet.UntilAsync(() => connection.State == RedisState.Up);
        await replica.Purges.StartAsync(Cancel);
        await Quiet.UntilAsync(() => replica.Purges.IsSynced);
        return replica;
    }
}
