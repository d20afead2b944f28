using System.Globalization;
using Gateway.Caching;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Observability;

namespace Gateway.Tests.Caching;

public sealed class TwoLevelCacheTests : IDisposable
{
    private readonly CacheUnderTest _test = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TimeSpan FreshFor => _test.Ages.FreshFor;

    private TimeSpan StaleFor => _test.Ages.StaleFor;

    private TimeSpan NotFoundFor => _test.Ages.NotFoundFor;

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task A_fresh_value_is_served_from_memory_without_waiting()
    {
        var start = _test.Time.Monotonic();
        var first = await _test.AskOneAsync();
        _test.Time.Advance(FreshFor - TimeSpan.FromTicks(1));

        var again = _test.Ask("a")[0];

        Assert.True(again.IsCompletedSuccessfully);
        var answer = await again;
        Assert.Equal(("a1", null, start + FreshFor, null, false), (answer.Value, answer.Failure, answer.FreshUntil, answer.StaleAsOf, answer.Loaded));
        Assert.True(first.Loaded);
        Assert.Equal(1, _test.Loads);
    }

    [Fact]
    public async Task A_stale_value_is_served_at_once_and_refreshed_once_in_the_background()
    {
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Hold();

        for (var i = 0; i < 100; i++)
        {
            var asked = _test.Ask("a")[0];
            Assert.True(asked.IsCompletedSuccessfully);
            var answer = await asked;
            Assert.Equal(("a1", null, false), (answer.Value, answer.StaleAsOf, answer.Loaded));
            Assert.False(answer.FreshUntil > _test.Time.Monotonic());
        }

        await Quiet.UntilAsync(() => _test.Loads == 2);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(2, _test.Loads);
        _test.Release();
        await CacheUnderTest.SettleAsync();

        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
        Assert.Equal(2, _test.Loads);
    }

    [Fact]
    public async Task After_a_failed_refresh_the_value_says_since_when_it_is_known()
    {
        var got = _test.Time.GetUtcNow();
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Failing = true;
        var version = _test.Cache.Version;

        Assert.Null((await _test.AskOneAsync()).StaleAsOf);
        await CacheUnderTest.SettleAsync();

        var answer = await _test.AskOneAsync();
        Assert.Equal(("a1", null, got), (answer.Value, answer.Failure, answer.StaleAsOf));
        Assert.NotEqual(version, _test.Cache.Version);
    }

    [Fact]
    public async Task A_failed_refresh_is_not_tried_again_before_its_pause_is_over()
    {
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Failing = true;
        await AskAndSettleAsync();
        Assert.Equal(2, _test.Loads);

        _test.Time.Advance(TwoLevelCache<string?>.RefreshBackOff - TimeSpan.FromTicks(1));
        await AskAndSettleAsync();
        Assert.Equal(2, _test.Loads);

        _test.Time.Advance(TimeSpan.FromTicks(1));
        await AskAndSettleAsync();
        Assert.Equal(3, _test.Loads);
    }

    [Fact]
    public async Task A_refresh_that_succeeds_after_failures_takes_the_label_off()
    {
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Failing = true;
        await AskAndSettleAsync();

        _test.Failing = false;
        _test.Time.Advance(TwoLevelCache<string?>.RefreshBackOff);
        await AskAndSettleAsync();

        var answer = await _test.AskOneAsync();
        Assert.Equal(("a3", null), (answer.Value, answer.StaleAsOf));
    }

    [Fact]
    public async Task For_the_whole_stale_window_a_failing_upstream_does_not_show_but_as_a_label()
    {
        await _test.AskOneAsync();
        _test.Failing = true;
        _test.Time.Advance(FreshFor);
        await AskAndSettleAsync();

        for (var hour = 0; hour < 23; hour++)
        {
            _test.Time.Advance(TimeSpan.FromHours(1));
            var answer = await _test.AskOneAsync();
            Assert.Equal(("a1", null), (answer.Value, answer.Failure));
            Assert.NotNull(answer.StaleAsOf);
            await CacheUnderTest.SettleAsync();
        }
    }

    [Fact]
    public async Task After_the_stale_window_the_failure_is_the_answer()
    {
        await _test.AskOneAsync();
        _test.Failing = true;
        _test.Time.Advance(FreshFor + StaleFor - TimeSpan.FromTicks(1));
        Assert.Equal("a1", (await _test.AskOneAsync()).Value);
        await CacheUnderTest.SettleAsync();

        _test.Time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(UpstreamFailure.Unreachable, (await _test.AskOneAsync()).Failure);
    }

    [Fact]
    public async Task A_failed_load_is_not_cached()
    {
        _test.Failing = true;
        var failed = await _test.AskOneAsync();
        _test.Failing = false;

        Assert.Equal((UpstreamFailure.Unreachable, true), (failed.Failure, failed.Loaded));
        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task That_there_is_no_such_thing_is_asked_again_sooner_and_outlives_an_outage_like_any_answer()
    {
        _test.SaysNotFound = true;
        var answer = await _test.AskOneAsync();
        Assert.Equal((null, null, _test.Time.Monotonic() + NotFoundFor), (answer.Value, answer.Failure, answer.FreshUntil));

        _test.Time.Advance(NotFoundFor - TimeSpan.FromTicks(1));
        await AskAndSettleAsync();
        Assert.Equal(1, _test.Loads);

        _test.Failing = true;
        _test.Time.Advance(TimeSpan.FromTicks(1));
        await AskAndSettleAsync();
        Assert.Equal(2, _test.Loads);

        // At once: the upstream cannot say otherwise. With its age.
        _test.Time.Advance(StaleFor - TimeSpan.FromTicks(1));
        _test.Hold();
        var asked = _test.Ask("a")[0];
        Assert.True(asked.IsCompletedSuccessfully);
        var old = await asked;
        Assert.Equal((null, null, _test.Time.GetUtcNow() - StaleFor - NotFoundFor + TimeSpan.FromTicks(1)), (old.Value, old.Failure, old.StaleAsOf));
        _test.Release();
        await CacheUnderTest.SettleAsync();

        _test.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(UpstreamFailure.Unreachable, (await _test.AskOneAsync()).Failure);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task That_there_was_no_such_thing_long_ago_is_said_only_if_the_upstream_cannot_be_asked(bool failing)
    {
        _test.SaysNotFound = true;
        await _test.AskOneAsync();
        _test.SaysNotFound = false;
        _test.Failing = failing;
        _test.Time.Advance(2 * NotFoundFor);

        Assert.False(_test.TryPeek("a", out _));
        var answer = await _test.AskOneAsync();

        Assert.Equal((failing ? null : "a2", null, true), (answer.Value, answer.Failure, answer.Loaded));
        Assert.Equal(failing, answer.StaleAsOf is not null);
        Assert.True(_test.TryPeek("a", out _));
    }

    [Fact]
    public async Task What_is_not_there_under_keys_that_clients_make_up_leaves_a_full_memory_first()
    {
        using var test = new CacheUnderTest(memoryLimit: 100 * 1024, hasInventedKeys: true);
        var known = Enumerable.Range(0, 50).Select(number => "known" + number.ToString(CultureInfo.InvariantCulture)).ToArray();
        await Task.WhenAll(test.Ask(known));
        test.SaysNotFound = true;
        for (var number = 0; number < 2_000; number++)
        {
            await test.AskOneAsync("made-up" + number.ToString(CultureInfo.InvariantCulture));
            if (number % 50 == 0)
            {
                await CacheUnderTest.SettleAsync();
            }
        }

        Assert.All(known, key => Assert.True(test.TryPeek(key, out _)));
    }

    [Fact]
    public async Task Many_concurrent_callers_of_a_cold_key_make_one_load()
    {
        _test.Hold();
        var callers = Enumerable.Range(0, 1_000).Select(_ => Task.Run(() => _test.Ask("a")[0], Cancel)).ToList();
        await CacheUnderTest.SettleAsync();
        _test.Release();

        var answers = await Task.WhenAll(callers);

        Assert.Equal("a1", Assert.Single(answers.Select(answer => answer.Value).Distinct(StringComparer.Ordinal)));
        Assert.Equal(1, _test.Loads);
    }

    [Fact]
    public async Task Many_keys_are_looked_up_side_by_side_and_answered_in_order()
    {
        await _test.AskOneAsync("k7");
        var keys = Enumerable.Range(0, 50).Select(number => "k" + number.ToString(CultureInfo.InvariantCulture)).ToArray();
        _test.Hold();

        var asked = _test.Ask([.. keys, "k3", "k7"]);
        await Quiet.UntilAsync(() => _test.InFlight.Now >= 49);

        Assert.Equal(49, _test.InFlight.Now);
        Assert.Same(asked[3], asked[50]);
        Assert.True(asked[7].IsCompletedSuccessfully);
        _test.Release();
        var answers = await Task.WhenAll(asked);
        Assert.Equal([.. keys.Select(key => key + "1"), "k31", "k71"], answers.Select(answer => answer.Value));
        Assert.Equal(50, _test.Loads);
    }

    [Fact]
    public async Task One_key_that_fails_does_not_touch_the_others()
    {
        await _test.AskOneAsync("a");
        _test.Failing = true;

        var answers = await Task.WhenAll(_test.Ask("a", "b"));

        Assert.Equal(("a1", null), (answers[0].Value, answers[0].Failure));
        Assert.Equal(UpstreamFailure.Unreachable, answers[1].Failure);
    }

    [Fact]
    public async Task Nothing_asked_is_nothing_answered()
    {
        Assert.Empty(_test.Ask());
        await Quiet.UntilAsync(() => _test.Loads == 0);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(0, _test.Loads);
    }

    [Fact]
    public async Task A_caller_that_leaves_does_not_cancel_the_load()
    {
        using var impatient = new CancellationTokenSource();
        _test.Hold();
        var leaves = _test.Ask("a")[0].WaitAsync(impatient.Token);
        var stays = _test.Ask("a")[0];
        await CacheUnderTest.SettleAsync();

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        Assert.False(stays.IsCompleted);
        _test.Release();

        Assert.Equal("a1", (await stays).Value);
        Assert.Equal("a1", (await _test.AskOneAsync()).Value);
        Assert.Equal(1, _test.Loads);
    }

    [Fact]
    public async Task A_load_is_over_at_its_own_deadline()
    {
        var start = _test.Time.GetUtcNow();
        _test.Hold();
        var asked = _test.Ask("a")[0];

        var answer = await _test.Time.RunUntilAsync(asked);

        Assert.Equal(UpstreamFailure.Timeout, answer.Failure);

        // The clock goes on in steps of 100 ms while others are at work.
        Assert.InRange(_test.Time.GetUtcNow() - start, CacheUnderTest.LoadTimeout, CacheUnderTest.LoadTimeout + TimeSpan.FromSeconds(1));
        _test.Release();
        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task Loads_in_flight_are_bounded_and_none_is_lost()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 4);
        test.Hold();
        var asked = test.Ask([.. Enumerable.Range(0, 40).Select(number => "k" + number.ToString(CultureInfo.InvariantCulture))]);
        await Quiet.UntilAsync(() => test.InFlight.Now == 4);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(4, test.InFlight.Now);

        test.Release();
        var answers = await Task.WhenAll(asked).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.All(answers, answer => Assert.Null(answer.Failure));
        Assert.Equal((0, 4), test.InFlight);
    }

    [Fact]
    public async Task A_load_that_has_begun_goes_on_and_one_that_nobody_wants_any_more_never_begins()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 1);
        using var leaves = new CancellationTokenSource();
        test.Hold();
        var begun = test.Ask("begun");
        await Quiet.UntilAsync(() => test.InFlight.Now == 1);
        var abandoned = test.Ask(leaves.Token, "begun", "abandoned", "shared");
        var wanted = test.Ask("shared");
        await CacheUnderTest.SettleAsync();

        await leaves.CancelAsync();
        Assert.Equal(UpstreamFailure.Timeout, (await abandoned[1].WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel)).Failure);

        // Who comes now gets a load of his own.
        var again = test.Ask("abandoned");
        await Quiet.UntilAsync(() => test.Loads == 1);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(1, test.Loads);
        test.Release();

        Assert.Equal(["begun1", "shared1", "abandoned1"], (await Task.WhenAll([.. begun, .. wanted, .. again]).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel)).Select(answer => answer.Value));
        Assert.Equal("shared1", (await abandoned[2]).Value);
        Assert.Equal(3, test.Loads);
    }

    [Fact]
    public async Task One_that_left_before_it_asked_begins_nothing_and_takes_nobodys_place()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 1);
        using var left = new CancellationTokenSource();
        await left.CancelAsync();

        Assert.Equal(UpstreamFailure.Timeout, (await test.Ask(left.Token, "a")[0].WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel)).Failure);
        await test.LandedAsync();

        Assert.Equal(0, test.Loads);
        Assert.Equal("a1", (await test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task Refreshes_in_the_background_do_not_pile_up()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 4);
        var keys = Enumerable.Range(0, 40).Select(number => "k" + number.ToString(CultureInfo.InvariantCulture)).ToArray();
        await Task.WhenAll(test.Ask(keys));
        test.Time.Advance(test.Ages.FreshFor);
        test.Hold();

        for (var i = 0; i < 10; i++)
        {
            Assert.All(test.Ask(keys), asked => Assert.True(asked.IsCompletedSuccessfully));
            await CacheUnderTest.SettleAsync();
        }

        Assert.Equal(44, test.Loads);
        test.Release();

        // Whatever was refused a place gets one when it is asked for again.
        for (var i = 0; i < 20; i++)
        {
            test.Ask(keys);
            await CacheUnderTest.SettleAsync();
        }

        Assert.Equal(80, test.Loads);
        Assert.Equal(4, test.InFlight.Most);
    }

    [Fact]
    public async Task A_load_that_throws_is_told_to_whoever_waits_and_the_next_one_loads_anew()
    {
        _test.Throwing = true;
        _test.Hold();
        var callers = Enumerable.Range(0, 10).Select(_ => _test.Ask("a")[0]).ToList();
        await CacheUnderTest.SettleAsync();
        _test.Release();

        foreach (var caller in callers)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => caller.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel));
        }

        _test.Throwing = false;
        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task A_refresh_that_throws_leaves_the_value_and_its_place_is_given_back()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 1);
        await test.AskOneAsync();
        test.Time.Advance(test.Ages.FreshFor);
        test.Throwing = true;
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("a1", (await test.AskOneAsync()).Value);
            await CacheUnderTest.SettleAsync();
            test.Time.Advance(TwoLevelCache<string?>.RefreshBackOff);
        }

        test.Throwing = false;
        var value = "a1";
        for (var tries = 0; tries < 100 && value == "a1"; tries++)
        {
            value = (await test.AskOneAsync()).Value;
            await CacheUnderTest.SettleAsync();
        }

        Assert.NotEqual("a1", value);
    }

    [Fact]
    public async Task Memory_has_a_limit_and_what_did_not_fit_is_loaded_again()
    {
        // An entry of one of these keys takes 38 to 41 bytes.
        using var test = new CacheUnderTest(memoryLimit: 1_000);
        for (var number = 0; number < 200; number++)
        {
            Assert.StartsWith("k", (await test.AskOneAsync("k" + number.ToString(CultureInfo.InvariantCulture))).Value, StringComparison.Ordinal);
            await CacheUnderTest.SettleAsync();
        }

        Assert.InRange(test.Memory.Count, 1, 1_000 / 38);
        Assert.Equal(200, test.Loads);
        for (var number = 0; number < 200; number++)
        {
            Assert.NotNull((await test.AskOneAsync("k" + number.ToString(CultureInfo.InvariantCulture))).Value);
        }

        Assert.InRange(test.Loads, 300, 400);
    }

    [Fact]
    public async Task A_value_beyond_the_whole_memory_is_answered_though_not_kept()
    {
        using var test = new CacheUnderTest(memoryLimit: 10);

        Assert.Equal("a1", (await test.AskOneAsync()).Value);
        Assert.Equal("a2", (await test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task The_version_moves_with_every_value_and_stands_while_nothing_changes()
    {
        var before = _test.Cache.Version;
        await _test.AskOneAsync();
        var loaded = _test.Cache.Version;
        Assert.NotEqual(before, loaded);

        await _test.AskOneAsync();
        await _test.PurgeAsync("other", hard: true);
        await _test.AskOneAsync();
        Assert.Equal(loaded, _test.Cache.Version);

        await _test.AskOneAsync("b");
        var another = _test.Cache.Version;
        Assert.NotEqual(loaded, another);

        _test.Time.Advance(FreshFor);
        await AskAndSettleAsync();
        Assert.NotEqual(another, _test.Cache.Version);
    }

    [Fact]
    public async Task What_is_in_memory_can_be_looked_at_without_asking_anybody()
    {
        Assert.False(_test.TryPeek("a", out _));
        Assert.Equal(0, _test.Loads);

        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);

        Assert.True(_test.TryPeek("a", out var value));
        Assert.Equal("a1", value);
        await Quiet.UntilAsync(() => _test.Loads == 1);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(1, _test.Loads);
    }

    [Fact]
    public async Task Every_look_up_is_counted_by_where_its_value_came_from()
    {
        using var metrics = new MetricRecorder();
        _test.Hold();
        var asked = _test.Ask("a", "a")[0];
        Assert.Equal(1, _test.Cache.InFlight);
        _test.Release();
        await asked;
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        await _test.AskOneAsync();

        Assert.Equal(
            [1, 1, 1, 1],
            new[] { "miss", "joined", "memory", "stale" }.Select(result => metrics.Of("gateway.cache.lookups", "cache=texts,result=" + result).Sum()));
    }

    [Fact]
    public async Task A_refresh_that_throws_is_a_failed_refresh()
    {
        var start = _test.Time.GetUtcNow();
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Throwing = true;
        var watch = _test.Cache.Watch("a");
        await _test.AskOneAsync();
        await Quiet.UntilAsync(() => !watch.IsUnchanged);

        Assert.Equal(start, (await _test.AskOneAsync()).StaleAsOf);
        await Quiet.UntilAsync(() => _test.Loads == 2);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(2, _test.Loads);
        _test.Time.Advance(TwoLevelCache<string?>.RefreshBackOff);
        await _test.AskOneAsync();
        await Quiet.UntilAsync(() => _test.Loads == 3);
    }

    [Theory]
    [InlineData("a")]
    [InlineData(null)]
    public async Task A_hard_purge_deletes(string? key)
    {
        await Task.WhenAll(_test.Ask("a", "b"));
        await _test.PurgeAsync(key, hard: true);
        _test.Hold();

        var asked = _test.Ask("a", "b");
        await CacheUnderTest.SettleAsync();

        Assert.False(asked[0].IsCompleted);
        Assert.Equal(key is not null, asked[1].IsCompleted);
        _test.Release();
        var answers = await Task.WhenAll(asked);
        Assert.Equal(["a2", key is null ? "b2" : "b1"], answers.Select(answer => answer.Value));
    }

    [Fact]
    public async Task After_a_hard_purge_a_failure_is_the_answer()
    {
        await _test.AskOneAsync();
        await _test.PurgeAsync("a", hard: true);
        _test.Failing = true;

        Assert.Equal(UpstreamFailure.Unreachable, (await _test.AskOneAsync()).Failure);
    }

    [Theory]
    [InlineData("a")]
    [InlineData(null)]
    public async Task A_soft_purge_serves_the_old_value_while_it_is_refreshed(string? key)
    {
        await Task.WhenAll(_test.Ask("a", "b"));
        await _test.PurgeAsync(key, hard: false);
        _test.Hold();

        var asked = _test.Ask("a", "b");
        await CacheUnderTest.SettleAsync();

        Assert.All(asked, one => Assert.True(one.IsCompletedSuccessfully));
        Assert.Equal(key is null ? 4 : 3, _test.Loads);
        _test.Release();
        await CacheUnderTest.SettleAsync();
        var answers = await Task.WhenAll(_test.Ask("a", "b"));
        Assert.Equal(["a2", key is null ? "b2" : "b1"], answers.Select(answer => answer.Value));
        Assert.Equal(key is null ? 4 : 3, _test.Loads);
    }

    [Fact]
    public async Task A_soft_purge_while_the_upstream_fails_leaves_the_value_and_labels_it()
    {
        var got = _test.Time.GetUtcNow();
        await _test.AskOneAsync();
        _test.Failing = true;
        await _test.PurgeAsync("a", hard: false);
        await AskAndSettleAsync();

        var answer = await _test.AskOneAsync();

        Assert.Equal(("a1", null, got), (answer.Value, answer.Failure, answer.StaleAsOf));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_load_that_began_before_a_purge_is_not_joined_and_its_value_does_not_come_back(bool hard)
    {
        _test.Hold();
        var before = _test.Ask("a")[0];
        await Quiet.UntilAsync(() => _test.Loads == 1);
        var releaseOld = _test.ReleaseLater();

        await _test.PurgeAsync("a", hard);
        _test.Hold();
        var after = _test.Ask("a")[0];
        Assert.NotSame(before, after);
        Assert.Same(after, _test.Ask("a")[0]);
        await Quiet.UntilAsync(() => _test.InFlight.Now == 2);

        // The new one lands first, then the old.
        _test.Release();
        Assert.Equal("a2", (await after).Value);
        releaseOld();
        Assert.Equal("a1", (await before).Value);

        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
        await Quiet.UntilAsync(() => _test.Loads == 2);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(2, _test.Loads);
    }

    [Fact]
    public async Task A_value_that_comes_late_after_a_hard_purge_is_thrown_away()
    {
        _test.Hold();
        var before = _test.Ask("a")[0];
        await Quiet.UntilAsync(() => _test.Loads == 1);
        await _test.PurgeAsync(key: null, hard: true);
        _test.Release();
        Assert.Equal("a1", (await before).Value);

        Assert.Equal("a2", (await _test.AskOneAsync()).Value);
    }

    [Fact]
    public async Task A_load_that_lands_late_does_not_end_the_flight_that_followed_it()
    {
        _test.Hold();
        var before = _test.Ask("a")[0];
        await Quiet.UntilAsync(() => _test.Loads == 1);
        var releaseOld = _test.ReleaseLater();
        await _test.PurgeAsync("a", hard: true);
        _test.Hold();
        var after = _test.Ask("a")[0];
        await Quiet.UntilAsync(() => _test.Loads == 2);
        releaseOld();
        await before;

        Assert.Same(after, _test.Ask("a")[0]);
        _test.Release();
        Assert.Equal("a2", (await after).Value);
        Assert.Equal(2, _test.Loads);
    }

    [Fact]
    public async Task A_refresh_that_began_before_a_soft_purge_does_not_count_as_the_one_after_it()
    {
        await _test.AskOneAsync();
        _test.Time.Advance(FreshFor);
        _test.Hold();
        await _test.AskOneAsync();
        await Quiet.UntilAsync(() => _test.Loads == 2);
        var releaseOld = _test.ReleaseLater();
        await _test.PurgeAsync("a", hard: false);
        _test.Hold();
        await _test.AskOneAsync();
        await Quiet.UntilAsync(() => _test.Loads == 3);
        releaseOld();
        await Quiet.UntilAsync(() => _test.InFlight.Now == 1);
        await CacheUnderTest.SettleAsync();
        _test.Release();
        await CacheUnderTest.SettleAsync();

        Assert.Equal("a3", (await _test.AskOneAsync()).Value);
        Assert.Equal(3, _test.Loads);
    }

    private async Task AskAndSettleAsync()
    {
        await _test.AskOneAsync();
        await _test.LandedAsync();
        await CacheUnderTest.SettleAsync();
    }
}
