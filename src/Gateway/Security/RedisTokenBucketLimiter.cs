using System.Threading.RateLimiting;
using Gateway.Caching;
using Gateway.Configuration;
using StackExchange.Redis;

namespace Gateway.Security;

/// <summary>
/// One client's token bucket, shared by all replicas: one script on one key in Redis for each request. While Redis cannot be had, a
/// bucket of this replica's own decides. That is not the framework's <see cref="TokenBucketRateLimiter"/>, which adds whole tokens per
/// period, says a whole period in Retry-After however much of it has passed, and takes no <see cref="TimeProvider"/>.
/// </summary>
internal sealed class RedisTokenBucketLimiter(RateLimitOptions limit, RedisKey key, RedisConnection redis, TimeProvider time) : RateLimiter
{
    /// <summary>On a refusal: the limit that was exceeded.</summary>
    public static readonly MetadataName<RateLimitOptions> Limit = new("Limit");

    // KEYS: bucket. ARGV: permits per second, burst. The clock is Redis's own. Returns 0 (a permit was taken) or the milliseconds until
    // there is one. A refusal writes nothing, so a flood of them cannot round the level down; but after Redis's clock was set back the
    // bucket, whose time lies in the future, fills from now on. The bucket expires when it is full.
    private const string Script = """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
        local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
        local level, at = burst, now
        if bucket[1] and bucket[2] then
          at = tonumber(bucket[2])
          level = math.min(burst, tonumber(bucket[1]) + math.max(0, now - at) * rate)
        end
        local wait = 0
        if level < 1 then
          wait = math.max(1, math.ceil((1 - level) / rate * 1000))
        else
          level = level - 1
        end
        if wait == 0 or at > now then
          redis.call('HMSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
          redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
        end
        return wait
        """;

    private static readonly RateLimitLease Permitted = new Lease(isAcquired: true);
    private static readonly RateLimitLease Unknown = new Lease(isAcquired: false);

    private readonly Lock _gate = new();
    private double _level = limit.Burst;
    private long _levelAt = time.GetTimestamp();
    private long _usedAt = time.GetTimestamp();

    /// <summary>Null while the replica's own bucket is not full: a new one would be.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_gate)
            {
                return Level(time.GetTimestamp()) < limit.Burst ? null : time.GetElapsedTime(_usedAt);
            }
        }
    }

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <summary>Never acquires and costs nothing: Redis has to be asked, so the middleware goes on to the asynchronous way.</summary>
    protected override RateLimitLease AttemptAcquireCore(int permitCount) => Unknown;

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            _usedAt = time.GetTimestamp();
        }

        var (isAnswered, wait) = await redis.TryAsync("EVAL", key, async database => (long?)await database.ScriptEvaluateAsync(
            Script, [key], [limit.PermitsPerSecond, limit.Burst], RedisConnection.ScriptFlags)).AsTask().WaitAsync(cancellationToken);
        return isAnswered && wait is { } milliseconds
            ? milliseconds == 0 ? Permitted : new Lease(isAcquired: false, TimeSpan.FromMilliseconds(milliseconds), limit)
            : AcquireLocally();
    }

    private RateLimitLease AcquireLocally()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var level = Level(now);
            if (level < 1)
            {
                return new Lease(isAcquired: false, TimeSpan.FromSeconds((1 - level) / limit.PermitsPerSecond), limit);
            }

            (_level, _levelAt) = (level - 1, now);
            return Permitted;
        }
    }

    private double Level(long now) => Math.Min(limit.Burst, _level + (time.GetElapsedTime(_levelAt, now).TotalSeconds * limit.PermitsPerSecond));

    private sealed class Lease(bool isAcquired, TimeSpan? retryAfter = null, RateLimitOptions? limit = null) : RateLimitLease
    {
        public override bool IsAcquired => isAcquired;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name, Limit.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : metadataName == Limit.Name ? limit : null;
            return metadata is not null;
        }
    }
}
