using System.Globalization;
using Gateway.Caching;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Caching;

public sealed class PurgeLogTests : IDisposable
{
    private readonly TestClock _time = new();
    private readonly RedisConnection _redis;
    private readonly PurgeLog _purges;

    public PurgeLogTests()
    {
        var options = Fixed.Options(new RedisOptions());
        _redis = new RedisConnection(options, _time, NullLogger<RedisConnection>.Instance);
        _purges = new PurgeLog(_redis, options, _time, NullLogger<PurgeLog>.Instance);
    }

    public void Dispose()
    {
        _purges.Dispose();
        _redis.Dispose();
    }

    [Fact]
    public async Task Without_Redis_a_purge_is_this_replica_s_alone_and_says_so()
    {
        Assert.False(await _purges.PurgeAsync(new PurgeScope("sku:x", Hard: true)));
        Assert.False(_purges.IsSynced);
    }

    /// <summary>What a bug or a dependency can do to it: here the clock, which it asks for every pause.</summary>
    [Fact]
    public async Task A_look_that_breaks_is_a_line_and_the_next_look_comes_after_a_second()
    {
        var options = Fixed.Options(new RedisOptions());
        var time = new BreakingTime();
        var log = new LogRecorder<PurgeLog>();
        using var ledger = new PurgeLog(_redis, options, time, log);

        await ledger.StartAsync(TestContext.Current.CancellationToken);
        await Quiet.UntilAsync(() => time.Manual.NextTimer == TimeSpan.FromSeconds(1));
        time.Manual.Advance(TimeSpan.FromSeconds(1));
        await Quiet.UntilAsync(() => time.Manual.NextTimer == PurgeLog.SyncInterval);

        Assert.Equal([2102], log.Ids);
        Assert.False(ledger.ExecuteTask!.IsCompleted);
        await ledger.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(ledger.ExecuteTask.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Every_purge_raises_the_epoch()
    {
        var before = _purges.Epoch;

        await PurgeAsync("x", hard: false);
        await PurgeAsync("x", hard: true);
        await PurgeAsync(null, hard: false);

        Assert.Equal(before + 3, _purges.Epoch);
    }

    [Fact]
    public void Before_any_purge_everything_is_valid() => Assert.Equal(PurgeVerdict.Valid, _purges.Judge("x", 0));

    [Fact]
    public async Task A_hard_purge_kills_what_began_before_it_and_only_its_tag()
    {
        var before = _purges.Epoch;
        await PurgeAsync("x", hard: true);

        Assert.Equal(PurgeVerdict.Dead, _purges.Judge("x", before));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("x", _purges.Epoch));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("X", before));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("y", before));
    }

    [Fact]
    public async Task A_soft_purge_marks_stale()
    {
        var before = _purges.Epoch;
        await PurgeAsync("x", hard: false);

        Assert.Equal(PurgeVerdict.Stale, _purges.Judge("x", before));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("x", _purges.Epoch));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("y", before));
    }

    [Theory]
    [InlineData(true, "Dead")]
    [InlineData(false, "Stale")]
    public async Task A_purge_of_all_is_about_every_tag_known_or_not(bool hard, string verdict)
    {
        await PurgeAsync("x", hard: false);
        var before = _purges.Epoch;
        await PurgeAsync(null, hard);

        Assert.Equal(verdict, _purges.Judge("x", before).ToString());
        Assert.Equal(verdict, _purges.Judge("y", before).ToString());
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("x", _purges.Epoch));
    }

    [Theory]
    [InlineData(true, false, "x", "x")]
    [InlineData(false, true, "x", "x")]
    [InlineData(true, false, "x", null)]
    [InlineData(false, true, "x", null)]
    [InlineData(true, false, null, "x")]
    [InlineData(false, true, null, "x")]
    public async Task The_harder_of_two_purges_counts_in_whatever_order(bool firstHard, bool secondHard, string? first, string? second)
    {
        var before = _purges.Epoch;
        await PurgeAsync(first, firstHard);
        var between = _purges.Epoch;
        await PurgeAsync(second, secondHard);

        Assert.Equal(PurgeVerdict.Dead, _purges.Judge("x", before));
        Assert.Equal(secondHard ? PurgeVerdict.Dead : PurgeVerdict.Stale, _purges.Judge("x", between));
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("x", _purges.Epoch));
    }

    [Fact]
    public async Task Concurrent_purges_all_count()
    {
        var before = _purges.Epoch;
        await Task.WhenAll(Enumerable.Range(0, 500).Select(number => Task.Run(() => PurgeAsync(Tag(number % 50), hard: true))));

        Assert.Equal(before + 500, _purges.Epoch);
        Assert.All(Enumerable.Range(0, 50), number => Assert.Equal(PurgeVerdict.Dead, _purges.Judge(Tag(number), before)));
    }

    [Fact]
    public async Task However_many_tags_are_purged_none_is_forgotten()
    {
        var before = _purges.Epoch;
        for (var number = 0; number < 3_000; number++)
        {
            await PurgeAsync(Tag(number), hard: true);
        }

        Assert.All(Enumerable.Range(0, 3_000), number => Assert.Equal(PurgeVerdict.Dead, _purges.Judge(Tag(number), before)));
    }

    [Theory]
    [InlineData(true, "Dead")]
    [InlineData(false, "Stale")]
    public async Task Of_a_thousand_tags_each_is_known_and_from_one_more_on_they_count_as_everything(bool hard, string verdict)
    {
        for (var number = 0; number < 1_000; number++)
        {
            await PurgeAsync(Tag(number), hard);
        }

        await PurgeAsync(Tag(0), hard);
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("other", 0));

        var last = _purges.Epoch;
        await PurgeAsync(Tag(1_000), hard);
        Assert.Equal((verdict, "Valid"), (_purges.Judge("other", last - 1).ToString(), _purges.Judge("other", last).ToString()));
        Assert.Equal(verdict, _purges.Judge(Tag(1_000), last).ToString());

        // From here on they are told apart again.
        await PurgeAsync(Tag(1_001), hard);
        await PurgeAsync(Tag(1_002), hard);
        Assert.Equal(PurgeVerdict.Valid, _purges.Judge("other", last));
    }

    private static string Tag(int number) => "x" + number.ToString(CultureInfo.InvariantCulture);

    private Task<bool> PurgeAsync(string? tag, bool hard) => _purges.PurgeAsync(new PurgeScope(tag, hard));

    /// <summary>Refuses the first timer.</summary>
    private sealed class BreakingTime : TimeProvider
    {
        private int _timers;

        public TestClock Manual { get; } = new();

        public override DateTimeOffset GetUtcNow() => Manual.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            Interlocked.Increment(ref _timers) == 1 ? throw new InvalidOperationException("No timer.") : Manual.CreateTimer(callback, state, dueTime, period);
    }
}
