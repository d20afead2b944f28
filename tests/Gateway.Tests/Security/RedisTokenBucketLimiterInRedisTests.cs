using System.Threading.RateLimiting;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.FunctionalTests.Stack;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Security;

/// <summary>The buckets of several replicas on one key of a real Redis. Replicas are connections here; processes are tried elsewhere.</summary>
public sealed class RedisTokenBucketLimiterInRedisTests : IAsyncLifetime
{
    private readonly List<RedisConnection> _connections = [];
    private RedisServerProcess _redis = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");
        _redis = await RedisServerProcess.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(1, 200, 50)]
    [InlineData(3, 200, 50)]
    [InlineData(10, 200, 50)]
    [InlineData(3, 5, 5)]
    [InlineData(3, 2_000, 1)]
    public async Task A_flood_on_every_replica_is_granted_what_one_bucket_has(int replicas, double rate, int burst)
    {
        var buckets = await ReplicasAsync(replicas, rate, burst);
        var floodFor = TimeSpan.FromSeconds(3);
        var granted = 0;
        var refused = 0;

        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(buckets.SelectMany(bucket => Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (TimeProvider.System.GetElapsedTime(started) < floodFor)
            {
                _ = await AcquireAsync(bucket) ? Interlocked.Increment(ref granted) : Interlocked.Increment(ref refused);
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
        }))));
        var most = burst + (rate * TimeProvider.System.GetElapsedTime(started).TotalSeconds);

        TestContext.Current.TestOutputHelper?.WriteLine($"{granted} granted of {most:0} permitted, {refused} refused");

        // With a burst of one a permit is lost whenever the next request comes a moment late.
        Assert.InRange(granted, burst == 1 ? 1 : most * 0.9, most);
        Assert.InRange(refused, 1, int.MaxValue);
    }

    [Theory]
    [InlineData(1, 500, 100, 1_000)]
    [InlineData(3, 950, 100, 1_000)]
    [InlineData(3, 90, 1, 90)]
    public async Task Calls_within_the_burst_are_all_granted_however_many_come_at_once(int replicas, int calls, double rate, int burst)
    {
        var buckets = await ReplicasAsync(replicas, rate, burst);

        var answers = await Task.WhenAll(Enumerable.Range(0, calls).Select(n => Task.Run(() => AcquireAsync(buckets[n % replicas]))));

        Assert.Equal(calls, answers.Count(isGranted => isGranted));
    }

    [Fact]
    public async Task Replicas_share_one_bucket_to_the_last_permit()
    {
        var buckets = await ReplicasAsync(3, 0.01, 100);

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(n => Task.Run(() => AcquireAsync(buckets[n % 3]))));

        Assert.Equal(100, answers.Count(isGranted => isGranted));
    }

    /// <summary>The level is kept with six decimals: a flood of refusals that each wrote it would round it each time.</summary>
    [Fact]
    public async Task A_refusal_writes_nothing()
    {
        var bucket = (await ReplicasAsync(1, 0.01, 1))[0];
        Assert.True(await AcquireAsync(bucket));

        var level = await _redis.AskAsync(async (database, _) => await database.HashGetAllAsync("test:bucket"));
        Assert.False(await AcquireAsync(bucket));

        Assert.Equal(level, await _redis.AskAsync(async (database, _) => await database.HashGetAllAsync("test:bucket")));
    }

    [Fact]
    public async Task An_empty_bucket_says_when_there_will_be_one_again()
    {
        var bucket = (await ReplicasAsync(1, 0.05, 1))[0];
        Assert.True(await AcquireAsync(bucket));

        using var refused = await bucket.AcquireAsync(1, TestContext.Current.CancellationToken);

        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter));
        Assert.InRange(retryAfter.TotalSeconds, 15, 20);
    }

    [Fact]
    public async Task With_redis_killed_the_own_bucket_decides_and_with_redis_back_the_shared_one()
    {
        var buckets = await ReplicasAsync(2, 0.01, 4);
        Assert.Equal(4, await GrantedAsync(buckets, 4));

        await _redis.KillAsync();
        await Quiet.UntilAsync(() => _connections.TrueForAll(connection => connection.State != RedisState.Up));
        Assert.Equal(8, await GrantedAsync(buckets, 8));

        await _redis.RestartAsync();
        await UntilUpAsync();
        Assert.Equal(4, await GrantedAsync(buckets, 8));
    }

    [Fact]
    public async Task While_redis_dies_nobody_fails_or_waits_long()
    {
        var buckets = await ReplicasAsync(2, 1_000, 1_000);
        var stop = false;
        var slowest = TimeSpan.Zero;
        var calls = buckets.SelectMany(bucket => Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                var started = TimeProvider.System.GetTimestamp();
                await AcquireAsync(bucket);
                var took = TimeProvider.System.GetElapsedTime(started);
                lock (buckets)
                {
                    slowest = took > slowest ? took : slowest;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System);
            }
        }))).ToList();

        // Stopped is worse than gone: it accepts and never answers.
        _redis.Signal(19);
        await UntilAsync(() => _connections.TrueForAll(connection => connection.State != RedisState.Up));
        _redis.Signal(18);
        await _redis.KillAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, TestContext.Current.CancellationToken);
        Volatile.Write(ref stop, true);
        await Task.WhenAll(calls);

        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_bucket_leaves_redis_when_it_is_full_again()
    {
        var buckets = await ReplicasAsync(1, 100, 10);
        await GrantedAsync(buckets, 10);

        var life = await _redis.AskAsync(async (database, _) => await database.KeyTimeToLiveAsync("test:bucket"));

        Assert.NotNull(life);
        Assert.InRange(life.Value.TotalSeconds, 0.5, 1.2);
    }

    [Fact]
    public async Task A_caller_that_left_does_not_wait_for_redis()
    {
        var bucket = (await ReplicasAsync(1, 1, 1))[0];
        _redis.Signal(19);
        using var left = new CancellationTokenSource(TimeSpan.FromMilliseconds(20), TimeProvider.System);

        var started = TimeProvider.System.GetTimestamp();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await bucket.AcquireAsync(1, left.Token));

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromMilliseconds(200));
    }

    private static async Task<bool> AcquireAsync(RedisTokenBucketLimiter bucket)
    {
        using var lease = await bucket.AcquireAsync();
        return lease.IsAcquired;
    }

    /// <summary>So many calls, to each replica in turn.</summary>
    private static async Task<int> GrantedAsync(RedisTokenBucketLimiter[] buckets, int calls)
    {
        var granted = 0;
        for (var n = 0; n < calls; n++)
        {
            granted += await AcquireAsync(buckets[n % buckets.Length]) ? 1 : 0;
        }

        return granted;
    }

    private async Task<RedisTokenBucketLimiter[]> ReplicasAsync(int replicas, double rate, int burst)
    {
        var time = TimeProvider.System;
        var options = Fixed.Options(new RedisOptions { ConnectionString = _redis.ConnectionString, OperationTimeout = TimeSpan.FromSeconds(1) });
        while (_connections.Count < replicas)
        {
            var connection = new RedisConnection(options, time, NullLogger<RedisConnection>.Instance);
            _connections.Add(connection);
            connection.Start();
        }

        await UntilUpAsync();
        return [.. _connections.Select(connection => new RedisTokenBucketLimiter(new RateLimitOptions { PermitsPerSecond = rate, Burst = burst }, "test:bucket", connection, time))];
    }

    private Task UntilUpAsync() => UntilAsync(() => _connections.TrueForAll(connection => connection.State == RedisState.Up));

    private static async Task UntilAsync(Func<bool> isSo)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(15), "It never came to be.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
