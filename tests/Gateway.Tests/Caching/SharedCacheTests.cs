using Gateway.Caching;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Observability;
using StackExchange.Redis;

namespace Gateway.Tests.Caching;

/// <summary>Two replicas, each on a clock of its own and with an upstream of its own, before one real Redis.</summary>
public sealed class SharedCacheTests : IClassFixture<RedisFixture>, IAsyncLifetime
{
    /// <summary>So long that a lease does not end by itself, in real time, while a test waits for it to be given back.</summary>
    private static readonly TimeSpan LoadTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Of a lease, and so what a replica waits for another one at most.</summary>
    private static readonly TimeSpan LeaseLife = LoadTimeout + TimeSpan.FromSeconds(1);

    private readonly string _prefix = RedisFixture.NewPrefix();
    private readonly RedisFixture _redis;
    private readonly CacheUnderTest _a;
    private readonly CacheUnderTest _b;

    public SharedCacheTests(RedisFixture redis)
    {
        RedisFixture.SkipWithoutRedis();
        _redis = redis;
        _a = new CacheUnderTest(redis.Connections[0], redis.Options(_prefix), loadTimeout: LoadTimeout) { Name = "A-" };
        _b = new CacheUnderTest(redis.Connections[1], redis.Options(_prefix), loadTimeout: LoadTimeout) { Name = "B-" };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await SyncAsync(_a);
        await SyncAsync(_b);
    }

    public ValueTask DisposeAsync()
    {
        _a.Release();
        _b.Release();
        _a.Dispose();
        _b.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_one_replica_loaded_another_finds_in_Redis()
    {
        using var metrics = new MetricRecorder();
        var loaded = await _a.AskOneAsync();
        await StoredAsync("a");

        var found = await _b.AskOneAsync();
        var again = await _b.AskOneAsync();

        Assert.Equal(("A-a1", null, loaded.FreshUntil, null, false), (found.Value, found.Failure, found.FreshUntil, found.StaleAsOf, found.Loaded));
        Assert.Equal(("A-a1", false), (again.Value, again.Loaded));
        Assert.Equal((1, 0), (_a.Loads, _b.Loads));
        Assert.Equal([1], metrics.Of("gateway.cache.lookups", "cache=texts,result=miss"));
        Assert.Equal([1], metrics.Of("gateway.cache.lookups", "cache=texts,result=redis"));
        Assert.Equal([1], metrics.Of("gateway.cache.lookups", "cache=texts,result=memory"));
    }

    /// <summary>One to look them up and one for each to put it there; now and then one that looks for purges. In docs/caching.md.</summary>
    [Fact]
    public async Task A_cold_request_of_13_keys_costs_14_commands()
    {
        using var commands = new CommandSpans();

        await Task.WhenAll(_a.Ask([.. Enumerable.Range(0, 13).Select(number => $"k{number}")]));
        await _a.LandedAsync();
        await NoLeaseAsync();

        await Quiet.UntilAsync(() => commands.Ended == commands.Begun);
        Assert.InRange(commands.Ended, 14, 15);
    }

    [Fact]
    public async Task Of_many_keys_those_in_Redis_are_taken_from_there_and_the_others_are_loaded()
    {
        await Task.WhenAll(_a.Ask("a", "c"));
        await StoredAsync("a", "c");

        var answers = await Task.WhenAll(_b.Ask("a", "b", "c")).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.Equal(["A-a1", "B-b1", "A-c1"], answers.Select(answer => answer.Value));
        Assert.Equal(1, _b.Loads);
    }

    [Fact]
    public async Task Of_two_replicas_with_the_same_cold_question_one_loads_and_the_other_waits_for_what_it_finds()
    {
        using var metrics = new MetricRecorder();
        _a.Hold();
        var first = _a.AskOneAsync();
        await Quiet.UntilAsync(() => _a.Loads == 1);
        var second = _b.AskOneAsync();
        await _b.Time.PollAsync(3);
        Assert.False(second.IsCompleted);

        _a.Release();
        await first;
        var answer = await _b.Time.PollUntilAsync(second);

        Assert.Equal(("A-a1", false, 0), (answer.Value, answer.Loaded, _b.Loads));
        Assert.InRange(Assert.Single(metrics.Of("gateway.lease.wait.duration", "kind=cache")), 0.15, 5);
    }

    [Fact]
    public async Task A_replica_that_keeps_its_lease_is_waited_for_no_longer_than_the_lease_would_live()
    {
        // Longer than this test, in real time: only the waiting one's own patience can end it.
        await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));

        var answer = await _b.Time.PollUntilAsync(_b.AskOneAsync());

        Assert.Equal(("B-a1", true), (answer.Value, answer.Loaded));
        Assert.InRange(_b.Elapsed, LeaseLife, LeaseLife + TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_lease_that_is_given_back_without_a_value_goes_to_who_waits()
    {
        var release = await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));
        var waiting = _b.AskOneAsync();
        await _b.Time.PollAsync(1);

        await release();

        Assert.Equal("B-a1", (await _b.Time.PollUntilAsync(waiting)).Value);
        Assert.InRange(_b.Elapsed, TimeSpan.Zero, LeaseLife - TimeSpan.FromSeconds(1));
        await NoLeaseAsync();
    }

    [Fact]
    public async Task A_lease_that_has_expired_meanwhile_and_is_another_one_s_now_is_not_given_back()
    {
        var releaseLate = await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));
        await _redis.AskAsync(database => database.KeyDeleteAsync($"{_prefix}:lease:{LeaseName("a")}"));
        var release = await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));

        await releaseLate();
        Assert.Single(await _redis.KeysAsync(_prefix + ":lease"));
        await release();
        Assert.Empty(await _redis.KeysAsync(_prefix + ":lease"));
    }

    [Fact]
    public async Task A_lease_is_of_one_key()
    {
        await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));

        Assert.Equal("B-b1", (await _b.AskOneAsync("b")).Value);
    }

    [Fact]
    public async Task A_lease_lives_a_little_longer_than_the_load_it_covers_and_is_given_back_after_it()
    {
        _a.Hold();
        var call = _a.AskOneAsync();
        await Quiet.UntilAsync(() => _a.Loads == 1);

        var lease = Assert.Single(await _redis.KeysAsync(_prefix + ":lease"));
        var left = await _redis.AskAsync(database => database.KeyTimeToLiveAsync(lease));
        Assert.InRange(left!.Value, TimeSpan.FromSeconds(1), LeaseLife);

        _a.Release();
        await call;
        await NoLeaseAsync();
    }

    [Fact]
    public async Task A_failed_load_leaves_neither_a_value_nor_a_lease_and_the_next_replica_asks_at_once()
    {
        _a.Failing = true;
        Assert.Equal(UpstreamFailure.Unreachable, (await _a.AskOneAsync()).Failure);
        await NoLeaseAsync();
        Assert.Empty(await _redis.KeysAsync($"{_prefix}:v{CacheWire.Version}"));

        Assert.Equal("B-a1", (await _b.AskOneAsync()).Value);
        Assert.Equal(TimeSpan.Zero, _b.Elapsed);
    }

    [Fact]
    public async Task A_load_that_throws_gives_its_lease_back()
    {
        _a.Throwing = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => _a.AskOneAsync());

        await NoLeaseAsync();
    }

    [Fact]
    public async Task A_load_that_began_before_a_purge_does_not_hold_up_the_one_after_it()
    {
        _a.Hold();
        var before = _a.AskOneAsync();
        await Quiet.UntilAsync(() => _a.Loads == 1);
        Assert.True(await _b.Ledger.PurgeAsync(new PurgeScope("tag:a", Hard: true)));

        Assert.Equal("B-a1", (await _b.AskOneAsync()).Value);
        Assert.Equal(TimeSpan.Zero, _b.Elapsed);
        _a.Release();
        await before;
    }

    [Fact]
    public async Task What_is_stale_in_Redis_is_served_at_once_and_refreshed()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        _b.Time.Advance(_b.Ages.FreshFor);

        var stale = await _b.AskOneAsync();

        Assert.Equal("A-a1", stale.Value);
        Assert.False(stale.FreshUntil > _b.Time.Monotonic());
        await Quiet.UntilAsync(() => _b.Loads == 1);
        await Quiet.UntilAsync(async () => (await _b.AskOneAsync()).Value == "B-a1");
    }

    [Fact]
    public async Task What_is_past_its_stale_window_is_not_used_though_it_still_lies_in_Redis()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        _b.Time.Advance(_b.Ages.FreshFor + _b.Ages.StaleFor);
        await Quiet.UntilAsync(() => _b.Ledger.IsSynced);

        Assert.Equal("B-a1", (await _b.AskOneAsync()).Value);
    }

    [Fact]
    public async Task A_refresh_takes_over_what_another_replica_has_refreshed()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        await _b.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        _a.Time.Advance(_a.Ages.FreshFor);
        _b.Time.Advance(_b.Ages.FreshFor);
        await _a.AskOneAsync();
        await Quiet.UntilAsync(async () => (await _a.AskOneAsync()).Value == "A-a2");
        await StoredAsync("a");

        Assert.Equal("A-a1", (await _b.AskOneAsync()).Value);
        await Quiet.UntilAsync(async () => (await _b.AskOneAsync()).Value == "A-a2");

        Assert.Equal((2, 0), (_a.Loads, _b.Loads));
        await NoLeaseAsync();
    }

    [Fact]
    public async Task A_refresh_after_a_failed_one_takes_over_what_another_replica_has_and_with_it_goes_the_label()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        await _b.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        _b.Failing = true;
        _b.Time.Advance(_b.Ages.FreshFor);
        await _b.AskOneAsync();
        await Quiet.UntilAsync(async () => (await _b.AskOneAsync()).StaleAsOf is not null);
        await NoLeaseAsync();

        _a.Time.Advance(_a.Ages.FreshFor);
        await _a.AskOneAsync();
        await Quiet.UntilAsync(async () => (await _a.AskOneAsync()).Value == "A-a2");
        await StoredAsync("a");
        _b.Time.Advance(TwoLevelCache<string?>.RefreshBackOff);
        await _b.AskOneAsync();

        await Quiet.UntilAsync(async () => await _b.AskOneAsync() is { Value: "A-a2", StaleAsOf: null });
        Assert.Equal(1, _b.Loads);
    }

    [Fact]
    public async Task What_a_hard_purge_deleted_is_not_taken_from_Redis()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        await _a.PurgeAsync("a", hard: true);
        await HearOfPurgesAsync(_b);

        Assert.Equal("B-a1", (await _b.AskOneAsync()).Value);
    }

    [Fact]
    public async Task What_a_soft_purge_marked_is_taken_from_Redis_as_stale_and_refreshed()
    {
        await _a.AskOneAsync();
        await StoredAsync("a");
        await _a.PurgeAsync("a", hard: false);
        await HearOfPurgesAsync(_b);

        var stale = await _b.AskOneAsync();

        Assert.Equal(("A-a1", TimeSpan.MinValue), (stale.Value, stale.FreshUntil));
        await Quiet.UntilAsync(() => _b.Loads == 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_value_whose_load_began_before_a_purge_is_not_put_into_Redis(bool hard)
    {
        _a.Hold();
        var call = _a.AskOneAsync();
        await Quiet.UntilAsync(() => _a.Loads == 1);
        await _a.PurgeAsync("a", hard);
        _a.Release();
        await call;
        await NoLeaseAsync();

        Assert.Empty(await _redis.KeysAsync($"{_prefix}:v{CacheWire.Version}"));
    }

    [Fact]
    public async Task A_replica_that_does_not_know_the_purges_neither_reads_nor_writes_nor_waits()
    {
        using var other = new CacheUnderTest(_redis.Connections[2], _redis.Options(_prefix)) { Name = "C-" };
        await _a.AskOneAsync();
        await StoredAsync("a");
        await TakeLeaseAsync("b", TimeSpan.FromMinutes(10));

        Assert.Equal("C-a1", (await other.AskOneAsync()).Value);
        Assert.Equal("C-b1", (await other.AskOneAsync("b")).Value);
        Assert.Equal("A-a1", (await _b.AskOneAsync()).Value);
        Assert.DoesNotContain($"{_prefix}:v{CacheWire.Version}:texts:b", await _redis.KeysAsync(_prefix));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    public async Task What_is_no_entry_is_not_read_and_is_replaced(string content)
    {
        await _redis.AskAsync(database => database.StringSetAsync($"{_prefix}:v{CacheWire.Version}:texts:a", content));

        Assert.Equal("B-a1", (await _b.AskOneAsync()).Value);
        await NoLeaseAsync();
        Assert.Equal("B-a1", (await _a.AskOneAsync()).Value);
    }

    [Fact]
    public async Task What_lies_in_Redis_goes_at_the_end_of_its_stale_window()
    {
        await _a.AskOneAsync("a");
        _a.SaysNotFound = true;
        Assert.Null((await _a.AskOneAsync("b")).Value);
        await StoredAsync("a", "b");

        Assert.InRange(await LeftAsync("a"), _a.Ages.StaleFor - TimeSpan.FromMinutes(5), _a.Ages.FreshFor + _a.Ages.StaleFor);
        Assert.InRange(await LeftAsync("b"), _a.Ages.StaleFor - TimeSpan.FromMinutes(5), _a.Ages.NotFoundFor + _a.Ages.StaleFor);
        Assert.Equal((null, null), await NotFoundAsync(_b, "b"));
        Assert.Equal(0, _b.Loads);

        using var invented = new CacheUnderTest(_redis.Connections[0], _redis.Options(_prefix), hasInventedKeys: true) { SaysNotFound = true };
        await SyncAsync(invented);
        await invented.AskOneAsync("c");
        await StoredAsync("a", "b", "c");
        Assert.InRange(await LeftAsync("c"), TimeSpan.FromSeconds(1), 2 * _a.Ages.NotFoundFor);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task That_there_was_no_such_thing_long_ago_is_taken_from_Redis_only_if_the_upstream_cannot_be_asked(bool failing)
    {
        _a.SaysNotFound = true;
        await _a.AskOneAsync();
        await StoredAsync("a");
        _b.Failing = failing;
        _b.Time.Advance(2 * _a.Ages.NotFoundFor);

        var answer = await _b.AskOneAsync();

        Assert.Equal((failing ? null : "B-a1", null, true, 1), (answer.Value, answer.Failure, answer.Loaded, _b.Loads));
        Assert.Equal(failing, answer.StaleAsOf is not null);
        Assert.Equal(failing ? null : "B-a1", (await _b.AskOneAsync()).Value);
        Assert.Equal(1, _b.Loads);
    }

    [Fact]
    public async Task A_replica_that_stops_gives_its_leases_back()
    {
        _a.Hold();
        var call = _a.AskOneAsync();
        await Quiet.UntilAsync(() => _a.Loads == 1);

        // Its clock stands still: it does not stop by running out of patience.
        await _a.Cache.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.Empty(await _redis.KeysAsync(_prefix + ":lease"));
        Assert.NotNull((await call).Failure);
    }

    [Fact]
    public async Task A_replica_that_stops_does_not_wait_for_another_one_s_load()
    {
        await TakeLeaseAsync("a", TimeSpan.FromMinutes(10));
        var call = _b.AskOneAsync();
        await _b.Time.PollAsync(1);
        await Quiet.UntilAsync(() => _b.Time.NextTimer <= TimeSpan.FromMilliseconds(50));

        await _b.Cache.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.Equal(UpstreamFailure.Timeout, (await call).Failure);
        Assert.Equal(0, _b.Loads);
    }

    private static async Task<(string? Value, UpstreamFailure? Failure)> NotFoundAsync(CacheUnderTest replica, string key)
    {
        var answer = await replica.AskOneAsync(key);
        return (answer.Value, answer.Failure);
    }

    private static async Task SyncAsync(CacheUnderTest replica)
    {
        await replica.Ledger.StartAsync(Cancel);
        await Quiet.UntilAsync(() => replica.Ledger.IsSynced && replica.Time.PendingTimers == 1);
    }

    /// <summary>Was: it was fetched whole, which kept the connection busy for longer than an answer may take.</summary>
    [Fact]
    public async Task What_is_longer_than_anything_of_ours_is_not_fetched_and_is_replaced()
    {
        var key = $"{_prefix}:v{CacheWire.Version}:texts:k";
        await _redis.AskAsync(database => database.StringSetAsync(key, new byte[CacheWire.MaxBytes + 1]));
        var before = await _redis.SentBytesAsync();

        Assert.Equal("k1", (await _a.AskOneAsync("k")).Value![^2..]);
        await StoredAsync("k");

        Assert.InRange(await _redis.SentBytesAsync() - before, 1, CacheWire.MaxBytes / 8);

        Assert.InRange(await _redis.AskAsync(database => database.StringLengthAsync(key)), 1, 1_000);
        Assert.Equal(1, _a.Loads);
    }

    [Fact]
    public async Task A_value_is_put_there_whoever_holds_the_lease_and_only_its_own_lease_is_given_back()
    {
        const int Values = 300;
        var lease = new RedisLease(_redis.Connections[0], _redis.Options(_prefix), TimeProvider.System);
        var other = new RedisLease(_redis.Connections[1], _redis.Options(_prefix), TimeProvider.System);
        var tokens = new List<string>();
        for (var number = 0; number < Values; number++)
        {
            // Every tenth belongs to somebody else.
            tokens.Add((await (number % 10 == 0 ? other : lease).TryTakeAsync($"l{number}", TimeSpan.FromMinutes(1))).Token!);
        }

        await Task.WhenAll(tokens.Select((token, number) =>
            lease.PutAndReleaseAsync($"{_prefix}:v:{number}", [(byte)(number % 7)], TimeSpan.FromMinutes(1), $"l{number}", number % 10 == 0 ? "not ours" : token)));

        var values = await _redis.AskAsync(database => database.StringGetAsync([.. Enumerable.Range(0, Values).Select(number => (RedisKey)$"{_prefix}:v:{number}")]));
        Assert.Equal(Enumerable.Range(0, Values).Select(number => (byte)(number % 7)), values.Select(value => ((byte[])value!).Single()));
        Assert.Equal(Values / 10, (await _redis.KeysAsync(_prefix + ":lease")).Count);
    }

    /// <summary>Without messages: at its next look.</summary>
    private async Task HearOfPurgesAsync(CacheUnderTest replica)
    {
        replica.Time.Advance(PurgeLog.SyncInterval);
        await Quiet.UntilAsync(() => replica.Ledger.Epoch == Math.Max(_a.Ledger.Epoch, _b.Ledger.Epoch));
    }

    /// <summary>Until the values are in Redis and whoever put them there is done.</summary>
    private async Task StoredAsync(params string[] keys)
    {
        await Quiet.UntilAsync(async () => (await _redis.KeysAsync($"{_prefix}:v{CacheWire.Version}")).SequenceEqual(keys.Select(key => $"{_prefix}:v{CacheWire.Version}:texts:{key}")));
        await NoLeaseAsync();
    }

    private Task NoLeaseAsync() => Quiet.UntilAsync(async () => (await _redis.KeysAsync(_prefix + ":lease")).Count == 0);

    /// <summary>As another replica would; what is returned gives it back.</summary>
    private async Task<Func<Task>> TakeLeaseAsync(string key, TimeSpan life)
    {
        var lease = new RedisLease(_redis.Connections[2], _redis.Options(_prefix), TimeProvider.System);
        var (_, token) = await lease.TryTakeAsync(LeaseName(key), life);
        Assert.NotNull(token);
        return () => lease.ReleaseAsync(LeaseName(key), token);
    }

    private string LeaseName(string key) => $"{{{_prefix}:v{CacheWire.Version}:texts:{key}}}:0";

    private async Task<TimeSpan> LeftAsync(string key) =>
        (await _redis.AskAsync(database => database.KeyTimeToLiveAsync($"{_prefix}:v{CacheWire.Version}:texts:{key}")))!.Value;
}
