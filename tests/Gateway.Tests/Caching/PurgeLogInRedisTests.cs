using Gateway.Caching;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Caching;

/// <summary>The purges of several replicas, each on a clock of its own, in one real Redis.</summary>
public sealed class PurgeLogInRedisTests : IClassFixture<RedisFixture>, IDisposable
{
    private readonly string _prefix = RedisFixture.NewPrefix();
    private readonly RedisFixture _redis;
    private readonly List<PurgeLog> _ledgers = [];
    private readonly List<RedisConnection> _connections = [];

    public PurgeLogInRedisTests(RedisFixture redis)
    {
        RedisFixture.SkipWithoutRedis();
        _redis = redis;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string EpochKey => _prefix + ":purge:epoch";

    private string LogKey => _prefix + ":purge:log";

    public void Dispose()
    {
        _ledgers.ForEach(ledger => ledger.Dispose());
        _connections.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task A_purge_is_the_same_on_every_replica_from_its_next_look_on()
    {
        var (a, _) = await ReplicaAsync(0);
        var (b, time) = await ReplicaAsync(1);

        Assert.True(await a.PurgeAsync(new PurgeScope("hard", Hard: true)));
        Assert.True(await a.PurgeAsync(new PurgeScope("soft", Hard: false)));
        Assert.Equal((2, 0), (a.Epoch, b.Epoch));
        await LookAsync(b, time, 2);

        Assert.All([a, b], ledger =>
        {
            Assert.Equal((PurgeVerdict.Dead, PurgeVerdict.Valid), (ledger.Judge("hard", 0), ledger.Judge("hard", 1)));
            Assert.Equal((PurgeVerdict.Stale, PurgeVerdict.Valid), (ledger.Judge("soft", 1), ledger.Judge("soft", 2)));
            Assert.Equal(PurgeVerdict.Valid, ledger.Judge("other", 0));
        });
    }

    [Theory]
    [InlineData(true, "Dead")]
    [InlineData(false, "Stale")]
    public async Task A_purge_of_all_is_one_everywhere(bool hard, string verdict)
    {
        var (a, _) = await ReplicaAsync(0);
        var (b, time) = await ReplicaAsync(1);

        await a.PurgeAsync(new PurgeScope(Tag: null, hard));
        await LookAsync(b, time, 1);

        Assert.Equal((verdict, "Valid"), (b.Judge("any", 0).ToString(), b.Judge("any", 1).ToString()));
    }

    [Fact]
    public async Task Who_purges_learns_what_others_purged_meanwhile()
    {
        var (a, _) = await ReplicaAsync(0);
        var (b, _) = await ReplicaAsync(1);
        await a.PurgeAsync(new PurgeScope("theirs", Hard: false));

        await b.PurgeAsync(new PurgeScope("ours", Hard: true));

        Assert.Equal(2, b.Epoch);
        Assert.Equal((PurgeVerdict.Stale, PurgeVerdict.Valid), (b.Judge("theirs", 0), b.Judge("theirs", 1)));
        Assert.Equal((PurgeVerdict.Dead, PurgeVerdict.Valid), (b.Judge("ours", 1), b.Judge("ours", 2)));
        Assert.Equal(PurgeVerdict.Valid, b.Judge("other", 0));
    }

    [Fact]
    public async Task Who_comes_later_knows_the_purges_there_were()
    {
        var (a, _) = await ReplicaAsync(0);
        await a.PurgeAsync(new PurgeScope("x|y", Hard: false));

        var (b, _) = await ReplicaAsync(1);

        Assert.Equal((1, PurgeVerdict.Stale, PurgeVerdict.Valid), (b.Epoch, b.Judge("x|y", 0), b.Judge("x", 0)));
    }

    [Fact]
    public async Task A_replica_hears_of_a_purge_at_once()
    {
        var (a, _) = await ReplicaAsync(0);
        var connection = NewConnection(_redis.Options(_prefix));
        var (b, _) = NewLedger(connection);
        connection.Start();
        await b.StartAsync(Cancel);
        await Quiet.UntilAsync(() => b.IsSynced);

        // It may subscribe a moment after it is connected: of one of a few purges it hears. Its clock stands still.
        await Quiet.UntilAsync(async () => await a.PurgeAsync(new PurgeScope("x", Hard: true)) && b.Epoch > 0);

        Assert.Equal(PurgeVerdict.Dead, b.Judge("x", 0));
    }

    [Fact]
    public async Task Purges_that_the_log_tells_nothing_of_are_hard_ones_of_everything()
    {
        var (a, time) = await ReplicaAsync(0);
        await _redis.AskAsync(database => database.StringSetAsync(EpochKey, "7"));

        await LookAsync(a, time, 7);

        Assert.Equal((PurgeVerdict.Dead, PurgeVerdict.Valid), (a.Judge("any", 6), a.Judge("any", 7)));
    }

    [Theory]
    [InlineData("4|0|x", "2|0|x", "1|0|x")]
    [InlineData("4|0|x", "3|2|x", "2|0|x", "1|0|x")]
    [InlineData("4|0|x", "3|x", "2|0|x", "1|0|x")]
    [InlineData("4|0|x", "-3|0|x", "2|0|x", "1|0|x")]
    [InlineData("4|0|x", "three|0|x", "2|0|x", "1|0|x")]
    public async Task A_purge_missing_from_the_log_counts_as_a_hard_one_of_everything_and_the_rest_as_what_they_are(params string[] log)
    {
        var (a, time) = await ReplicaAsync(0);
        foreach (var line in log.Reverse())
        {
            await _redis.AskAsync(database => database.ListLeftPushAsync(LogKey, line));
        }

        await _redis.AskAsync(database => database.StringSetAsync(EpochKey, "4"));
        await LookAsync(a, time, 4);

        Assert.Equal((PurgeVerdict.Dead, PurgeVerdict.Valid), (a.Judge("y", 2), a.Judge("y", 3)));
        Assert.Equal((PurgeVerdict.Stale, PurgeVerdict.Valid), (a.Judge("x", 3), a.Judge("x", 4)));
    }

    [Fact]
    public async Task The_log_keeps_the_last_thousand()
    {
        await _redis.AskAsync(database => database.ScriptEvaluateAsync(
            "for e = 1, 1500 do redis.call('LPUSH', KEYS[2], e .. '|1|x' .. e) end redis.call('SET', KEYS[1], 1500) return 1", [EpochKey, LogKey], [], RedisConnection.ScriptFlags));
        var (a, _) = await ReplicaAsync(0);

        await a.PurgeAsync(new PurgeScope("y", Hard: true));

        Assert.Equal(1_000, await _redis.AskAsync(database => database.ListLengthAsync(LogKey)));
        Assert.Equal(1_501, a.Epoch);
        Assert.Equal("1501|1|y", (string?)await _redis.AskAsync(database => database.ListGetByIndexAsync(LogKey, 0)));
    }

    [Fact]
    public async Task A_redis_that_was_emptied_is_told_the_epoch_and_counts_on_from_there()
    {
        var (a, time) = await ReplicaAsync(0);
        await a.PurgeAsync(new PurgeScope("x", Hard: true));
        await a.PurgeAsync(new PurgeScope("x", Hard: true));
        await _redis.AskAsync(database => database.KeyDeleteAsync([EpochKey, LogKey]));

        time.Advance(PurgeLog.SyncInterval);
        await Quiet.UntilAsync(async () => await _redis.AskAsync(database => database.StringGetAsync(EpochKey)) == "2");

        var (b, _) = await ReplicaAsync(1);
        Assert.Equal(2, b.Epoch);
        await a.PurgeAsync(new PurgeScope("x", Hard: false));
        Assert.Equal((3, PurgeVerdict.Valid), (a.Epoch, a.Judge("y", 2)));
    }

    [Fact]
    public async Task A_purge_made_without_Redis_becomes_one_of_everything_for_all_once_Redis_is_there()
    {
        var connection = NewConnection(_redis.Options(_prefix));
        var (a, time) = NewLedger(connection);
        Assert.False(await a.PurgeAsync(new PurgeScope("x", Hard: false)));
        Assert.Equal((PurgeVerdict.Stale, PurgeVerdict.Valid), (a.Judge("x", 0), a.Judge("y", 0)));
        var (b, otherTime) = await ReplicaAsync(1);
        await a.StartAsync(Cancel);
        Assert.False(a.IsSynced);

        connection.Start();
        await Quiet.UntilAsync(() => a.IsSynced);

        await LookAsync(b, otherTime, a.Epoch);
        Assert.Equal((PurgeVerdict.Dead, PurgeVerdict.Dead), (a.Judge("y", 1), b.Judge("y", 1)));
        Assert.Equal((PurgeVerdict.Valid, PurgeVerdict.Valid), (a.Judge("y", a.Epoch), b.Judge("y", a.Epoch)));

        // Once, and not at every look from then on.
        var epoch = a.Epoch;
        await Quiet.UntilAsync(() => time.PendingTimers == 1);
        time.Advance(PurgeLog.SyncInterval);
        await Quiet.UntilAsync(() => time.NextTimer == PurgeLog.SyncInterval);
        Assert.Equal(epoch, a.Epoch);
    }

    [Fact]
    public async Task One_that_could_not_look_tries_again_after_a_second_and_one_without_Redis_or_in_order_after_ten()
    {
        var (unreachable, soon) = NewLedger(NewConnection(_redis.Options(_prefix)));
        var (without, later) = NewLedger(NewConnection(Fixed.Options(new RedisOptions())));
        var (synced, laterToo) = await ReplicaAsync(0);
        await unreachable.StartAsync(Cancel);
        await without.StartAsync(Cancel);
        await Quiet.UntilAsync(() => soon.PendingTimers == 1 && later.PendingTimers == 1);

        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)), (soon.NextTimer, later.NextTimer, laterToo.NextTimer));
        Assert.Equal((false, false, true), (unreachable.IsSynced, without.IsSynced, synced.IsSynced));
    }

    [Fact]
    public async Task A_connection_that_is_lost_ends_the_trust_in_what_lies_in_Redis()
    {
        var settings = _redis.Options(_prefix);
        var connection = NewConnection(settings);
        var (a, _) = NewLedger(connection);
        connection.Start();
        await a.StartAsync(Cancel);
        await Quiet.UntilAsync(() => a.IsSynced);

        settings.Value = new RedisOptions();
        await connection.TryAsync("TEST", EpochKey, database => database.KeyExistsAsync(EpochKey));

        Assert.False(a.IsSynced);
    }

    [Fact]
    public async Task A_look_that_fails_ends_the_trust_in_what_lies_in_Redis()
    {
        // Its own connection: after a command that failed it is left alone for a while.
        var connection = NewConnection(_redis.Options(_prefix));
        var (a, time) = NewLedger(connection);
        connection.Start();
        await a.StartAsync(Cancel);
        await Quiet.UntilAsync(() => a.IsSynced && time.NextTimer == PurgeLog.SyncInterval);

        await _redis.AskAsync(database => database.HashSetAsync(EpochKey, "not", "a number"));
        time.Advance(PurgeLog.SyncInterval);

        await Quiet.UntilAsync(() => !a.IsSynced);
    }

    private static async Task LookAsync(PurgeLog ledger, TestClock time, long epoch)
    {
        time.Advance(PurgeLog.SyncInterval);
        await Quiet.UntilAsync(() => ledger.Epoch == epoch);
    }

    /// <summary>One that has looked, and is not told by messages: its connection is older than it is.</summary>
    private async Task<(PurgeLog Purges, TestClock Time)> ReplicaAsync(int number)
    {
        var (ledger, time) = NewLedger(_redis.Connections[number]);
        await ledger.StartAsync(Cancel);
        await Quiet.UntilAsync(() => ledger.IsSynced && time.PendingTimers == 1);
        return (ledger, time);
    }

    private (PurgeLog Purges, TestClock Time) NewLedger(RedisConnection connection)
    {
        var time = new TestClock();
        var ledger = new PurgeLog(connection, _redis.Options(_prefix), time, NullLogger<PurgeLog>.Instance);
        _ledgers.Add(ledger);
        return (ledger, time);
    }

    private RedisConnection NewConnection(FixedOptions<RedisOptions> options)
    {
        var connection = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        _connections.Add(connection);
        return connection;
    }
}
