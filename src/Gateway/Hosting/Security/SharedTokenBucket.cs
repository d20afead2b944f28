using System.Threading.RateLimiting;
using Gateway.Caching;
using StackExchange.Redis;

namespace Gateway.Hosting.Security;

/// <summary>
/// One client's token bucket, kept in Redis for all replicas. A replica draws permits from it for those who wait, and for a client
/// that calls often a few more ahead of time, so that most of its calls wait for nothing; what it has not spent after a second it
/// forgets. Together the replicas never permit more than the bucket had, and at most a portion each less. Without Redis the
/// replica's own bucket decides.
/// </summary>
internal sealed class SharedTokenBucket(RateLimitOptions limit, RedisKey key, RedisConnection redis, TimeProvider time) : RateLimiter
{
    /// <summary>On a refusal: the limit that was kept.</summary>
    public static readonly MetadataName<RateLimitOptions> Limit = new("Limit");

    /// <summary>What is drawn ahead is what the client has lately used in this time, and at most what it may use in it.</summary>
    private const double AheadSeconds = 0.1;

    /// <summary>
    /// The second draw that one waits for was made for him, too; but who came later may take what is there first. A bucket that is empty
    /// says so: this is only an end to the bad luck.
    /// </summary>
    private const int MostDraws = 50;

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

    private static readonly RateLimitLease Granted = new Lease(retryAfter: null, limit: null);

    // All of it is only touched with the gate held.
    private readonly Lock _gate = new();
    private double _portion;
    private long _portionAt;
    private double _spent;
    private long _spentSince;
    private double _own = limit.Burst;
    private long _ownAt = time.GetTimestamp();
    private long _emptyUntil;
    private long _oneMoreAt;
    private long _usedAt = time.GetTimestamp();
    private int _waiting;
    private Task<bool>? _drawing;

    /// <summary>Null while there is something to remember that Redis does not: a portion at hand, or that the own bucket is not full.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_gate)
            {
                var idle = time.GetElapsedTime(_usedAt);
                var isOwnFull = time.GetElapsedTime(_ownAt).TotalSeconds >= (limit.Burst - _own) / limit.PermitsPerSecond;
                return isOwnFull && idle > PortionLife ? idle : null;
            }
        }
    }

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <summary>Without waiting: from the portion at hand, or, where there is no Redis, from the own bucket.</summary>
    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_gate)
        {
            return TryTake(leave: _waiting) ?? (IsShared ? Denied() : TakeOwn());
        }
    }

    /// <summary>Those who wait get what is drawn before those who come later, so that nobody waits for more than two draws.</summary>
    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Task<bool> drawing;
        lock (_gate)
        {
            if ((TryTake(leave: _waiting) ?? Settled()) is { } atOnce)
            {
                return atOnce;
            }

            _waiting++;
            drawing = _drawing ??= DrawAsync();
        }

        try
        {
            for (var draws = 1; ; draws++)
            {
                var isAnswered = await drawing.WaitAsync(cancellationToken);
                lock (_gate)
                {
                    if ((TryTake(leave: 0) ?? (isAnswered ? Settled() : TakeOwn()) ?? (draws < MostDraws ? null : Denied())) is { } lease)
                    {
                        _waiting--;
                        return lease;
                    }

                    drawing = _drawing ??= DrawAsync();
                }
            }
        }
        catch
        {
            lock (_gate)
            {
                _waiting--;
            }

            throw;
        }
    }

    private bool IsShared => redis.State == RedisState.Up;

    /// <summary>How much to draw ahead of time: nothing for a client whose next call may well be long in coming.</summary>
    private double Ahead
    {
        get
        {
            var seconds = Math.Max(0.001, time.GetElapsedTime(_spentSince).TotalSeconds);
            var most = Math.Min(limit.Burst, limit.PermitsPerSecond * AheadSeconds);
            return Math.Floor(Math.Min(most, _spent / seconds * AheadSeconds));
        }
    }

    /// <summary>What can be said without a draw: there is no Redis, or it has just said that the bucket is empty.</summary>
    private RateLimitLease? Settled() =>
        !IsShared ? TakeOwn()
        : _drawing is null && time.GetTimestamp() < _emptyUntil ? Denied()
        : null;

    /// <summary>A permit of the portion at hand, if there is more than what is to be left for others.</summary>
    private RateLimitLease? TryTake(int leave)
    {
        var now = time.GetTimestamp();
        _usedAt = now;
        Forget(now);
        if (_portion - leave < 1)
        {
            return null;
        }

        _portion--;
        _spent++;
        if (_drawing is null && Ahead is >= 2 and var ahead && _portion < ahead / 2 && now >= _emptyUntil && IsShared)
        {
            _drawing = DrawAsync();
        }

        return Granted;
    }

    /// <summary>Draws enough for all who wait, and what is wanted ahead. False if Redis did not say.</summary>
    private Task<bool> DrawAsync() => Task.Run(async () =>
    {
        double wanted;
        lock (_gate)
        {
            // Some of those who wait may not have come by yet for what was drawn for them.
            var now = time.GetTimestamp();
            Forget(now);
            wanted = Math.Max(1, Math.Max(_waiting - _portion, Ahead));
            (_spent, _spentSince) = (0, now);
        }

        long[]? answer = null;
        try
        {
            (_, answer) = await redis.TryAsync("EVAL", async database => (long[]?)await database.ScriptEvaluateAsync(
                Script, [key], [limit.PermitsPerSecond, limit.Burst, wanted], RedisConnection.ScriptFlags));
        }
        finally
        {
            lock (_gate)
            {
                _drawing = null;
                Take(answer, wanted);
            }
        }

        return answer is [_, _];
    });

    private void Take(long[]? answer, double wanted)
    {
        if (answer is not [var granted, var wait])
        {
            return;
        }

        var now = time.GetTimestamp();
        Forget(now);
        _portion += granted;
        _portionAt = now;
        if (granted < wanted)
        {
            _oneMoreAt = now + Ticks(wait);

            // Not for longer than this: the bucket may be gone from Redis, and so be full.
            _emptyUntil = now + Ticks(Math.Min(wait, 1_000));
        }
    }

    /// <summary>A portion that was not spent in time.</summary>
    private void Forget(long now)
    {
        if (time.GetElapsedTime(_portionAt, now) > PortionLife)
        {
            _portion = 0;
        }
    }

    private long Ticks(long milliseconds) => (long)(milliseconds / 1_000d * time.TimestampFrequency);

    private RateLimitLease TakeOwn()
    {
        var now = time.GetTimestamp();
        _own = Math.Min(limit.Burst, _own + (time.GetElapsedTime(_ownAt, now).TotalSeconds * limit.PermitsPerSecond));
        _ownAt = now;
        if (_own < 1)
        {
            return new Lease(TimeSpan.FromSeconds((1 - _own) / limit.PermitsPerSecond), limit);
        }

        _own--;
        return Granted;
    }

    private Lease Denied()
    {
        var now = time.GetTimestamp();
        return new Lease(_oneMoreAt > now ? time.GetElapsedTime(now, _oneMoreAt) : TimeSpan.FromSeconds(1 / limit.PermitsPerSecond), limit);
    }

    private sealed class Lease(TimeSpan? retryAfter, RateLimitOptions? limit) : RateLimitLease
    {
        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name, Limit.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : metadataName == Limit.Name ? limit : null;
            return metadata is not null;
        }
    }
}
