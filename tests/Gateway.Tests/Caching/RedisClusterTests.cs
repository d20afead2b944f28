using Gateway.Caching;
using Gateway.FunctionalTests.Stack;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Caching;

/// <summary>Two replicas before a real Redis Cluster of three nodes.</summary>
public sealed class RedisClusterTests : IAsyncLifetime
{
    private const int Stop = 19;
    private const int Continue = 18;

    private readonly LogRecorder<RedisConnection> _log = new();
    private readonly List<CacheUnderTest> _replicas = [];
    private readonly List<RedisConnection> _connections = [];
    private RedisClusterProcess _cluster = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");

        // One node's loss is not the whole cluster's.
        _cluster = await RedisClusterProcess.StartAsync(withReplicas: false, "--cluster-require-full-coverage", "no");
    }

    public async ValueTask DisposeAsync()
    {
        _replicas.ForEach(replica => replica.Dispose());
        _connections.ForEach(connection => connection.Dispose());
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_question_of_many_keys_is_shared_through_all_nodes()
    {
        var (a, b) = (await ReplicaAsync("A-"), await ReplicaAsync("B-"));
        string[] keys = [.. Enumerable.Range(0, 39).Select(number => $"k{number}"), "a{b}c", "{}", "}{", "100%"];
        Assert.Equal(3, keys.Select(key => RedisClusterProcess.HomeOf(ValueKey(key))).Distinct().Count());

        await Task.WhenAll(a.Ask(keys));
        await StoredAsync(a, keys.Length);
        var answers = await Task.WhenAll(b.Ask(keys)).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.Equal(keys.Select(key => $"A-{key}1"), answers.Select(answer => answer.Value));
        Assert.Equal((keys.Length, 0), (a.Loads, b.Loads));
        Assert.DoesNotContain(_log.Lines, line => line.Level > LogLevel.Information);
    }

    /// <summary>While no node answers, all commands are on their way: none waits for another one's answer.</summary>
    [Fact]
    public async Task The_keys_of_a_cold_question_are_looked_up_side_by_side()
    {
        var a = await ReplicaAsync("A-");
        using var commands = new CommandSpans();
        foreach (var node in _cluster.Nodes)
        {
            node.Signal(Stop);
        }

        var answers = Task.WhenAll(a.Ask([.. Enumerable.Range(0, 13).Select(number => $"k{number}")]));
        try
        {
            await Quiet.UntilAsync(() => commands.Begun == 13);
            Assert.Equal(0, commands.Ended);
        }
        finally
        {
            foreach (var node in _cluster.Nodes)
            {
                node.Signal(Continue);
            }
        }

        await answers;
        await StoredAsync(a, 13);
        await Quiet.UntilAsync(() => commands.Ended == commands.Begun);
        Assert.Equal((13, 26), (a.Loads, commands.Ended));
    }

    [Fact]
    public async Task A_purge_reaches_the_other_replica_at_once()
    {
        var (a, b) = (await ReplicaAsync("A-"), await ReplicaAsync("B-"));

        // It may subscribe a moment after it is connected: of one of a few purges it hears. Its clock stands still.
        await Quiet.UntilAsync(async () => await a.Purges.PurgeAsync(new PurgeScope("x", Hard: true)) && b.Purges.Epoch > 0);

        Assert.Equal(PurgeVerdict.Dead, b.Purges.Judge("x", 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_node_of_three_that_is_lost_costs_at_most_one_wait_and_what_is_on_the_others_is_still_shared(bool isFrozen)
    {
        var (a, b) = (await ReplicaAsync("A-"), await ReplicaAsync("B-"));
        var lost = (RedisClusterProcess.HomeOf("test:{purge}:epoch") + 1) % RedisClusterProcess.Primaries;
        string[] keys = [.. Enumerable.Range(0, 60).Select(number => $"k{number}")];
        await Task.WhenAll(a.Ask(keys[..30]));
        await StoredAsync(a, 30);

        if (isFrozen)
        {
            _cluster.Nodes[lost].Signal(Stop);
        }
        else
        {
            await _cluster.Nodes[lost].KillAsync();
            await Quiet.UntilAsync(() => _log.Ids.Count(id => id == 2006) == 2);
            await Quiet.SettleAsync();
            await Quiet.UntilAsync(() => b.Purges.IsSynced);
        }

        var took = new List<TimeSpan>();
        foreach (var part in keys.Chunk(5))
        {
            var started = TimeProvider.System.GetTimestamp();
            await Task.WhenAll(b.Ask(part)).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);
            took.Add(TimeProvider.System.GetElapsedTime(started));
            await b.LandedAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(' ', took.Select(time => $"{time.TotalMilliseconds:0}")) + '\n' + string.Join('\n', _log.Lines));
        var shared = keys[..30].Count(key => RedisClusterProcess.HomeOf(ValueKey(key)) != lost);
        Assert.Equal(60 - shared, b.Loads);
        Assert.InRange(took.Count(time => time > TimeSpan.FromMilliseconds(200)), 0, isFrozen ? 1 : 0);
        Assert.Equal(RedisState.Up, _connections[1].State);
    }

    /// <summary>Where a value lies.</summary>
    private static string ValueKey(string key) =>
        $"test:v{CacheWire.Version}:texts:" + key.Replace("%", "%25", StringComparison.Ordinal).Replace("{", "%7B", StringComparison.Ordinal).Replace("}", "%7D", StringComparison.Ordinal);

    private async Task StoredAsync(CacheUnderTest replica, int values)
    {
        await replica.LandedAsync();
        await Quiet.UntilAsync(async () =>
        {
            var keys = await KeysAsync();
            return keys.Count(key => key.StartsWith("test:v", StringComparison.Ordinal)) == values && !keys.Exists(key => key.StartsWith("test:lease", StringComparison.Ordinal));
        });
    }

    private async Task<List<string>> KeysAsync()
    {
        var found = new List<string>();
        foreach (var node in _cluster.Nodes.Take(RedisClusterProcess.Primaries))
        {
            found.AddRange((string[])(await node.AskAsync("KEYS", "*"))!);
        }

        return found;
    }

    private async Task<CacheUnderTest> ReplicaAsync(string name)
    {
        var options = Fixed.Options(new RedisOptions { ConnectionString = _cluster.ConnectionString, KeyPrefix = "test", OperationTimeout = TimeSpan.FromMilliseconds(500) });
        var connection = new RedisConnection(options, TimeProvider.System, _log);
        _connections.Add(connection);
        var replica = new CacheUnderTest(connection, options) { Name = name };
        _replicas.Add(replica);
        connection.Start();
        await replica.Purges.StartAsync(Cancel);
        await Quiet.UntilAsync(() => connection.State == RedisState.Up && replica.Purges.IsSynced);
        return replica;
    }
}
