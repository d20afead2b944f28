using System.Threading.RateLimiting;
using Gateway.Caching;
using StackExchange.Redis;

namespace Gateway.Hosting.Security;

/// <summary>
/// One client's token bucket, kept in Redis for all replicas. A replica draws permits from it in small portions and spends them
/// without asking again, so that most calls wait for nothing; what it has not spent after a second it forgets. Together the
/// replicas never permit more than the bucket had, and at most a portion each less. Without Redis the replica's own bucket decides.
/// </summary>
internal sealed class SharedTokenBucket(RateLimitOptions limit, RedisKey key, RedisConnection redis, TimeProvider time) : RateLimiter
{
    /// <summary>A portion is what the client may use up in this time, and at least one.</summary>
    private const double PortionSeconds = 0.1;

    private const int MostDraws = 5;

    private static readonly TimeSpan PortionLife = TimeSpan.FromSeconds(1);

    // KEYS: bucket. ARGV: permits per second, burst, permits wanted. The clock is Redis's own. Returns what is granted, and the
    // milliseconds until there is one more.
    private const string Script = """
        local clock = redis.call('TIME')
        local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
        local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local bucket = redis.call('HMGET', KEYS[1], 'level', 'at')
        local level = burst
        if bucket[1] and bucket[2] then
          level = math.min(burst, tonumber(bucket[1]) + math.max(0, now - tonumber(bucket[2])) * rate)
        end
        local granted = math.max(0, math.min(wanted, math.floor(level + 0.000001)))
        level = level - granted
        redis.call('HMSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
        redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
        return {granted, math.max(0, math.ceil((1 - level) / rate * 1000))}
        """;

    private static readonly RateLimitLease Granted = new Lease(retryAfter: null);

    private readonly Lock _gate = new();
    private double _portion;
    private long _portionAt;
    private double _own = limit.Burst;
    private long _ownAt = time.GetTimestamp();
    private long _emptyUntil;
    private long _usedAt = time.GetTimestamp();
    private int _waiting;
    private Task<bool>? _drawing;

    /// <summary>Null while the bucket would still be remembered as not full.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            var idle = time.GetElapsedTime(Volatile.Read(ref _usedAt));
            return idle > TimeSpan.FromSeconds(limit.Burst / limit.PermitsPerSecond) ? idle : null;
        }
    }

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <summary>Without waiting: from the portion at hand, or, where there is no Redis, from the own bucket.</summary>
    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_gate)
        {
            return TryTake() ?? (IsShared ? Denied() : TakeOwn());
        }
    }

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        if (AttemptAcquireCore(permitCount) is { IsAcquired: true } atHand)
        {
            return atHand;
        }

        Interlocked.Increment(ref _waiting);
        try
        {
            return await DrawnAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Draws until there is one for this caller or the bucket is empty: others may have taken what was drawn.</summary>
    private async Task<RateLimitLease> DrawnAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MostDraws; attempt++)
        {
            Task<bool> drawing;
            lock (_gate)
            {
                if (TryTake() is { } taken)
                {
                    return taken;
                }

                if (!IsShared)
                {
                    return TakeOwn();
                }

                if (_drawing is null && time.GetTimestamp() < _emptyUntil)
                {
                    return Denied();
                }

                drawing = _drawing ??= DrawAsync();
            }

            if (!await drawing.WaitAsync(cancellationToken))
            {
                lock (_gate)
                {
                    return TakeOwn();
                }
            }
        }

        return Denied();
    }

    private bool IsShared => redis.State == RedisState.Up;

    private double Portion => Math.Max(1, Math.Min(limit.Burst, Math.Floor(limit.PermitsPerSecond * PortionSeconds)));

    /// <summary>A permit of the portion at hand; draws the next one ahead of time. Only with the gate held.</summary>
    private RateLimitLease? TryTake()
    {
        var now = time.GetTimestamp();
        Volatile.Write(ref _usedAt, now);
        if (_portion >= 1 && time.GetElapsedTime(_portionAt, now) > PortionLife)
        {
            _portion = 0;
        }

        if (_portion < 1)
        {
            return null;
        }

        _portion--;
        if (_portion < Portion / 2 && _drawing is null && now >= _emptyUntil && IsShared)
        {
            _drawing = DrawAsync();
        }

        return Granted;
    }

    /// <summary>Draws a portion, enough for all who wait. False if Redis did not say.</summary>
    private Task<bool> DrawAsync() => Task.Run(async () =>
    {
        double wanted;
        lock (_gate)
        {
            wanted = Math.Max(Portion, Volatile.Read(ref _waiting));
        }

        var (done, answer) = await redis.TryAsync("EVAL", database => database.ScriptEvaluateAsync(
            Script, [key], [limit.PermitsPerSecond, limit.Burst, wanted], RedisConnection.ScriptFlags));
        lock (_gate)
        {
            _drawing = null;
            if (!done || (long[]?)answer is not [var granted, var wait])
            {
                return false;
            }

            var now = time.GetTimestamp();
            _portion = granted + (time.GetElapsedTime(_portionAt, now) > PortionLife ? 0 : _portion);
            _portionAt = now;
            if (granted < wanted)
            {
                _emptyUntil = now + (long)(Math.Min(wait, 1_000) / 1_000d * time.TimestampFrequency);
            }

            return true;
        }
    });

    private RateLimitLease TakeOwn()
    {
        var now = time.GetTimestamp();
        _own = Math.Min(limit.Burst, _own + (time.GetElapsedTime(_ownAt, now).TotalSeconds * limit.PermitsPerSecond));
        _ownAt = now;
        if (_own < 1)
        {
            return new Lease(TimeSpan.FromSeconds((1 - _own) / limit.PermitsPerSecond));
        }

        _own--;
        return Granted;
    }

    private Lease Denied()
    {
        var now = time.GetTimestamp();
        var untilDrawn = _emptyUntil > now ? time.GetElapsedTime(now, _emptyUntil) : TimeSpan.Zero;
        var untilOneMore = TimeSpan.FromSeconds(1 / limit.PermitsPerSecond);
        return new Lease(untilDrawn > untilOneMore ? untilDrawn : untilOneMore);
    }

    private sealed class Lease(TimeSpan? retryAfter) : RateLimitLease
    {
        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
            return metadata is not null;
        }
    }
}
