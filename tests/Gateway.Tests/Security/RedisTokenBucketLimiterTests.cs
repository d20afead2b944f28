using System.Threading.RateLimiting;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Security;

/// <summary>One replica's bucket where there is no Redis.</summary>
public sealed class RedisTokenBucketLimiterTests : IDisposable
{
    private readonly TestClock _time = new();
    private readonly RedisConnection _noRedis;

    public RedisTokenBucketLimiterTests() => _noRedis = new RedisConnection(
        Fixed.Options(new RedisOptions()), _time, NullLogger<RedisConnection>.Instance);

    public void Dispose() => _noRedis.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1000)]
    public async Task A_full_bucket_grants_its_burst_and_not_one_more(int burst)
    {
        await using var bucket = Bucket(1, burst);

        Assert.Equal(burst, await GrantedAsync(bucket, burst + 10));
    }

    [Theory]
    [InlineData(10, 5, 0.1, 1)]
    [InlineData(10, 5, 0.35, 3)]
    [InlineData(10, 5, 0.5, 5)]
    [InlineData(10, 5, 3600, 5)]
    [InlineData(0.01, 3, 100, 1)]
    [InlineData(0.01, 3, 99, 0)]
    [InlineData(1_000_000, 10, 0.000_002, 2)]
    public async Task An_empty_bucket_fills_at_its_rate_and_never_over_its_burst(double rate, int burst, double seconds, int granted)
    {
        await using var bucket = Bucket(rate, burst);
        await GrantedAsync(bucket, burst);

        _time.Advance(TimeSpan.FromSeconds(seconds));

        Assert.Equal(granted, await GrantedAsync(bucket, burst + 5));
    }

    [Fact]
    public async Task What_is_refused_costs_nothing()
    {
        await using var bucket = Bucket(1, 1);
        await GrantedAsync(bucket, 1);
        for (var tenth = 0; tenth < 9; tenth++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            Assert.Equal(0, await GrantedAsync(bucket, 10));
        }

        _time.Advance(TimeSpan.FromSeconds(0.11));

        Assert.Equal(1, await GrantedAsync(bucket, 10));
    }

    [Theory]
    [InlineData(1, 0.25, 0.75)]
    [InlineData(0.01, 0, 100)]
    [InlineData(0.01, 40, 60)]
    [InlineData(100, 0, 0.01)]
    public async Task A_refusal_says_when_there_will_be_one_again_and_then_there_is(double rate, double passed, double wait)
    {
        await using var bucket = Bucket(rate, 1);
        await GrantedAsync(bucket, 1);
        _time.Advance(TimeSpan.FromSeconds(passed));

        using var refused = await bucket.AcquireAsync(1, TestContext.Current.CancellationToken);

        Assert.False(refused.IsAcquired);
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter));
        Assert.Contains(MetadataName.RetryAfter.Name, refused.MetadataNames);
        Assert.Equal(wait, retryAfter.TotalSeconds, 0.001);
        _time.Advance(retryAfter + TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await GrantedAsync(bucket, 2));
    }

    /// <summary>The middleware asks without waiting first.</summary>
    [Fact]
    public async Task Asking_without_waiting_never_permits_and_costs_nothing()
    {
        await using var bucket = Bucket(1, 1);

        using var atOnce = bucket.AttemptAcquire();

        Assert.False(atOnce.IsAcquired);
        Assert.Equal(1, await GrantedAsync(bucket, 2));
    }

    [Fact]
    public async Task A_grant_says_nothing_of_waiting()
    {
        await using var bucket = Bucket(1, 1);

        using var granted = await bucket.AcquireAsync(1, TestContext.Current.CancellationToken);

        Assert.True(granted.IsAcquired);
        Assert.False(granted.TryGetMetadata(MetadataName.RetryAfter, out _));
        Assert.Empty(granted.MetadataNames);
    }

    [Fact]
    public async Task It_can_be_forgotten_once_it_is_full_again_and_not_before()
    {
        await using var bucket = Bucket(10, 20);
        await GrantedAsync(bucket, 20);

        Assert.Null(bucket.IdleDuration);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Null(bucket.IdleDuration);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.NotNull(bucket.IdleDuration);
        Assert.Equal(2.1, bucket.IdleDuration.Value.TotalSeconds, 0.001);
    }

    /// <summary>Else one call of each of many addresses would be kept for as long as a whole burst takes.</summary>
    [Fact]
    public async Task One_that_was_hardly_used_can_be_forgotten_soon()
    {
        await using var bucket = Bucket(0.01, 1_000_000);
        await GrantedAsync(bucket, 1);

        _time.Advance(TimeSpan.FromSeconds(101));

        Assert.NotNull(bucket.IdleDuration);
    }

    [Fact]
    public async Task Any_number_of_threads_are_granted_the_burst_together()
    {
        await using var bucket = Bucket(1, 5_000);

        var granted = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => GrantedAsync(bucket, 1_000))));

        Assert.Equal(5_000, granted.Sum());
    }

    [Fact]
    public async Task A_caller_that_left_gets_an_answer_or_a_cancellation_and_hangs_never()
    {
        await using var bucket = Bucket(1, 1);
        using var left = new CancellationTokenSource();
        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await bucket.AcquireAsync(1, left.Token));
    }

    private RedisTokenBucketLimiter Bucket(double rate, int burst) => new(new RateLimitOptions { PermitsPerSecond = rate, Burst = burst }, "unused", _noRedis, _time);

    private static async Task<int> GrantedAsync(RedisTokenBucketLimiter bucket, int tries)
    {
        var granted = 0;
        for (var n = 0; n < tries; n++)
        {
            using var lease = await bucket.AcquireAsync(1, TestContext.Current.CancellationToken);
            granted += lease.IsAcquired ? 1 : 0;
        }

        return granted;
    }
}
