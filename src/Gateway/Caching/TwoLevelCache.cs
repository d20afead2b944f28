using System.Diagnostics.CodeAnalysis;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Gateway.Caching;

/// <summary>
/// Memory in front of Redis in front of an upstream. For each key, in order: (1) fresh in memory: served; (2) stale in memory, within
/// the window: served at once and refreshed in the background; (3) otherwise one flight per process, which many callers share:
/// (3a) what lies in Redis, and the leases of what does not, all keys of a question in one round trip; (3b) of all replicas the one
/// with the lease asks the upstream, the others wait for what it puts into Redis, at most for the lease's life; (3c) without Redis
/// each process asks for itself. A flight runs on its own deadline and never on a caller's cancellation. A failed load is not
/// cached: with a stale value at hand that is served and labelled, without one the failure is the answer. "There is no such thing" is
/// a value; one older than twice <c>NotFoundFor</c> is served only if the upstream cannot be asked again.
/// </summary>
internal sealed partial class TwoLevelCache<T> : IAsyncDisposable
{
    /// <summary>After a refresh failed the next is tried this much later.</summary>
    internal static readonly TimeSpan RefreshBackOff = TimeSpan.FromSeconds(2);

    /// <summary>For the changes of all keys; several share one.</summary>
    private const int Counters = 4096;

    /// <summary>About what an entry costs beside its payload and key, in bytes.</summary>
    private const int EntryOverhead = 400;

    private readonly TwoLevelCacheOptions<T> _cache;
    private readonly CatalogOptions _ages;
    private readonly IMemoryCache _memory;
    private readonly RedisConnection _redis;
    private readonly RedisLease _lease;
    private readonly PurgeLog _ledger;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _prefix;
    private readonly SemaphoreSlim _slots;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Flight> _flights = new(StringComparer.Ordinal);
    private int _refreshing;
    private readonly long[] _changes = new long[Counters];

    public TwoLevelCache(
        TwoLevelCacheOptions<T> cache,
        IOptions<CatalogOptions> ages,
        IOptions<RedisOptions> redisOptions,
        IMemoryCache memory,
        RedisConnection redis,
        RedisLease lease,
        PurgeLog ledger,
        TimeProvider time,
        ILogger<TwoLevelCache<T>> logger)
    {
        _cache = cache;
        _ages = ages.Value;
        _memory = memory;
        _redis = redis;
        _lease = lease;
        _ledger = ledger;
        _time = time;
        _logger = logger;
        _prefix = $"{redisOptions.Value.KeyPrefix}:v{CacheWire.Version}:{cache.Name}:";
        _slots = new SemaphoreSlim(cache.MaxConcurrentLoads);
    }

    /// <summary>It is only taken with a slot at hand, so it outlives the load.</summary>
    private TimeSpan LeaseLife => _cache.LoadTimeout + TimeSpan.FromSeconds(1);

    /// <summary>How often a value or the label of one has changed.</summary>
    public long Version => _changes.Sum();

    /// <summary>Look-ups and refreshes under way.</summary>
    public int InFlight
    {
        get
        {
            lock (_gate)
            {
                return _flights.Count + Volatile.Read(ref _refreshing);
            }
        }
    }

    /// <summary>Begin it before the look-up, so that no change is missed in between.</summary>
    public ChangeStamp Watch(string key) => new(_changes, CounterOf(key));

    /// <summary>What is in memory and may be served, fresh or stale; asks nobody and begins nothing.</summary>
    public bool TryPeek(CacheQuery<T> query, [MaybeNullWhen(false)] out T value)
    {
        var entry = Remembered(query, KeptAs(query)) is { } kept && !IsDoubtful(kept) ? kept : null;
        value = entry is null ? default : entry.Value;
        return entry is not null;
    }

    /// <summary>
    /// Looks up many keys at once; one task each, in order. They do not end with a caller's cancellation: wait with one. A load that has
    /// begun goes on for the cache whoever leaves; one that still waits for its turn is given up once nobody is left who wants it.
    /// </summary>
    /// <param name="queries">What to look up.</param>
    /// <param name="abandoned">The caller does not want them any more.</param>
    public IReadOnlyList<Task<CacheResult<T>>> GetMany(IReadOnlyList<CacheQuery<T>> queries, CancellationToken abandoned = default)
    {
        var answers = new Task<CacheResult<T>>[queries.Count];
        List<(CacheQuery<T> Query, Flight Flight)>? begun = null;
        for (var index = 0; index < queries.Count; index++)
        {
            var query = queries[index];
            var watch = Watch(query.Key);
            var keptAs = KeptAs(query);
            if (Remembered(query, keptAs) is { } entry && !IsDoubtful(entry))
            {
                Count(IsFresh(query, entry) ? "memory" : "stale");
                RefreshIfDue(query, keptAs, entry);
                answers[index] = Task.FromResult(Answer(query, entry, loaded: false, watch, waits: null));
            }
            else
            {
                var flight = JoinOrBegin(query, keptAs, out var isNew);
                abandoned.UnsafeRegister(Leave, flight);
                answers[index] = flight.Task;
                if (isNew)
                {
                    (begun ??= []).Add((query, flight));
                }
                else
                {
                    Count("joined");
                }
            }
        }

        if (begun is not null)
        {
            _ = Task.Run(() => FillAsync(begun), CancellationToken.None);
        }

        return answers;
    }

    /// <summary>Ends what is loading and gives the leases back, so that a replica that is stopped keeps no other one waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();

        // Nothing is left of a load but commands to Redis, which have a time-out.
        for (var slot = 0; slot < _cache.MaxConcurrentLoads; slot++)
        {
            await _slots.WaitAsync();
        }

        _stopping.Dispose();
    }

    /// <summary>What memory holds and no purge has killed.</summary>
    private CacheEntry<T>? Remembered(CacheQuery<T> query, string keptAs) =>
        _memory.TryGetValue(keptAs, out CacheEntry<T>? entry) && IsUsable(query, entry!) ? entry : null;

    private bool IsUsable(CacheQuery<T> query, CacheEntry<T> entry) =>
        _time.Monotonic() < entry.StaleUntil && _ledger.Judge(query.Tag, entry.Epoch) != PurgeVerdict.Dead;

    private bool IsFresh(CacheQuery<T> query, CacheEntry<T> entry) =>
        _time.Monotonic() < entry.FreshUntil && _ledger.Judge(query.Tag, entry.Epoch) == PurgeVerdict.Valid;

    /// <summary>"There is no such thing", said so long ago that the upstream is asked first, unless it could not be asked the last time.</summary>
    private bool IsDoubtful(CacheEntry<T> entry) =>
        !entry.RefreshFailed && _time.Monotonic() >= entry.FreshUntil + _ages.NotFoundFor && entry.Value is null;

    private CacheResult<T> Answer(CacheQuery<T> query, CacheEntry<T> entry, bool loaded, ChangeStamp watch, RequestTimings? waits)
    {
        // Purged softly, it is stale whatever its age.
        var freshUntil = IsFresh(query, entry) ? entry.FreshUntil : TimeSpan.MinValue;
        return new(UpstreamResult.Of(entry.Value, entry.RefreshFailed ? entry.AsOf : null), freshUntil, loaded, watch, waits);
    }

    /// <summary>One flight per key. A flight that began before a purge is not joined: it may bring the old value.</summary>
    private Flight JoinOrBegin(CacheQuery<T> query, string keptAs, out bool isNew)
    {
        lock (_gate)
        {
            isNew = !_flights.TryGetValue(query.Key, out var flight) || flight.IsAbandoned || _ledger.Judge(query.Tag, flight.Epoch) != PurgeVerdict.Valid;
            if (isNew)
            {
                var epoch = _ledger.Epoch;
                flight = new Flight(epoch, keptAs, LeaseName(keptAs, epoch));
                _flights[query.Key] = flight;
            }

            flight!.Wanted++;
            return flight;
        }
    }

    /// <summary>One who wanted it does not any more.</summary>
    private void Leave(object? left)
    {
        var flight = (Flight)left!;
        CancellationTokenSource? waiting;
        lock (_gate)
        {
            if (--flight.Wanted > 0 || flight.HasBegun)
            {
                return;
            }

            flight.IsAbandoned = true;
            waiting = flight.Waiting;
        }

        try
        {
            waiting?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has got its slot this moment, and sees what has become of it.
        }
    }

    /// <summary>From here on it is completed, whoever leaves; false if nobody wants it.</summary>
    private bool TryBegin(Flight flight)
    {
        lock (_gate)
        {
            return flight.HasBegun = !flight.IsAbandoned;
        }
    }

    /// <summary>In the background, one at a time per key, not while a refresh has just failed, and never more than there are slots.</summary>
    private void RefreshIfDue(CacheQuery<T> query, string keptAs, CacheEntry<T> entry)
    {
        if (IsFresh(query, entry) || !entry.MayRefresh(_time.Monotonic()) || Volatile.Read(ref _refreshing) >= _cache.MaxConcurrentLoads)
        {
            return;
        }

        var flight = JoinOrBegin(query, keptAs, out var isNew);
        if (isNew)
        {
            Interlocked.Increment(ref _refreshing);
            _ = Task.Run(async () =>
            {
                try
                {
                    await FlyAsync(query, flight, known: entry);
                }
                finally
                {
                    Interlocked.Decrement(ref _refreshing);
                }
            });
        }
    }

    /// <summary>3a</summary>
    private async Task FillAsync(List<(CacheQuery<T> Query, Flight Flight)> begun)
    {
        var claims = new Claim[begun.Count];
        var started = _time.GetTimestamp();
        try
        {
            await ClaimAsync(begun, claims);
        }
        catch (Exception exception)
        {
            // A bug: nobody is left waiting, and each asks for itself.
            Log.Broken(_logger, exception, _cache.Name);
        }

        var read = _time.GetTimestamp();
        for (var index = 0; index < begun.Count; index++)
        {
            var ((query, flight), claim) = (begun[index], claims[index]);
            flight.Waits.Add(RequestTimings.Cache, started, read);
            if (claim.Entry is { } doubtful && IsDoubtful(doubtful))
            {
                Count("miss");
                Remember(query, flight, doubtful, claim.Size);
                _ = FlyAsync(query, flight, doubtful, claim);
            }
            else if (claim.Entry is { } entry)
            {
                if (claim.HasSlot)
                {
                    _slots.Release();
                }

                Count("redis");
                Remember(query, flight, entry, claim.Size);
                Land(query, flight, entry, loaded: false);
                RefreshIfDue(query, flight.KeptAs, entry);
            }
            else
            {
                Count("miss");
                _ = FlyAsync(query, flight, Remembered(query, flight.KeptAs), claim);
            }
        }
    }

    /// <summary>What lies in Redis and may be used; for what does not, and for which there is a slot to load it at once, the lease.</summary>
    private async Task ClaimAsync(List<(CacheQuery<T> Query, Flight Flight)> begun, Claim[] claims)
    {
        if (!_ledger.IsSynced)
        {
            return;
        }

        var wanted = new (string, string, bool)[claims.Length];
        for (var index = 0; index < claims.Length; index++)
        {
            var (query, flight) = begun[index];
            claims[index].HasSlot = _slots.Wait(0);
            wanted[index] = (flight.KeptAs, flight.LeaseName, claims[index].HasSlot);
        }

        var found = await _lease.ReadOrTakeAsync(wanted, LeaseLife);
        for (var index = 0; index < found.Length; index++)
        {
            var (wire, token) = found[index];
            claims[index].Lease = token;
            if (CacheWire.Read(wire, _cache.Type, _time) is { } entry && IsUsable(begun[index].Query, entry))
            {
                (claims[index].Entry, claims[index].Size) = (entry, wire!.Length);
            }
        }
    }

    /// <summary>3b and 3c, with a slot held; always lands.</summary>
    private async Task FlyAsync(CacheQuery<T> query, Flight flight, CacheEntry<T>? known, Claim claim = default)
    {
        if (!claim.HasSlot && !await TryTakeSlotAsync(flight))
        {
            Fail(query, flight, known, UpstreamFailure.Timeout);
            return;
        }

        var lease = claim.Lease;
        try
        {
            if (!TryBegin(flight))
            {
                Fail(query, flight, known, UpstreamFailure.Timeout);
                return;
            }

            if (lease is null && _ledger.IsSynced)
            {
                var started = _time.GetTimestamp();
                (lease, var peers) = await _lease.TakeOrWaitAsync(flight.LeaseName, LeaseLife, "cache", () => ReadPeersAsync(query, flight, known), _stopping.Token);
                flight.Waits.Add(RequestTimings.Cache, started, _time.GetTimestamp());
                if (peers is not null)
                {
                    Land(query, flight, peers, loaded: false);
                    return;
                }
            }

            if (await LoadAsync(query, flight, known) is var (wire, life) && wire is not null)
            {
                if (lease is null)
                {
                    await _redis.TryAsync("SET", flight.KeptAs, database => database.StringSetAsync(flight.KeptAs, wire, life), writes: true);
                }
                else
                {
                    await _lease.PutAndReleaseAsync(flight.KeptAs, wire, life, flight.LeaseName, lease);
                    lease = null;
                }
            }
        }
        catch (Exception exception)
        {
            // A bug, since neither loads nor Redis throw: whoever waits must hear of it.
            Log.Broken(_logger, exception, _cache.Name);
            known?.MarkRefreshFailed(_time.Monotonic() + RefreshBackOff);
            CountChange(query);
            Forget(query, flight);
            flight.Fail(exception);
        }
        finally
        {
            if (lease is not null)
            {
                await _lease.ReleaseAsync(flight.LeaseName, lease);
            }

            _slots.Release();
        }
    }

    /// <summary>What another replica has put into Redis since: fresh, and newer than what is known here. Not while purges may have been missed.</summary>
    private async Task<CacheEntry<T>?> ReadPeersAsync(CacheQuery<T> query, Flight flight, CacheEntry<T>? known)
    {
        if (!_ledger.IsSynced)
        {
            return null;
        }

        var (_, value) = await _redis.TryAsync("GETRANGE", flight.KeptAs, database => database.StringGetRangeAsync(flight.KeptAs, 0, CacheWire.MaxBytes));
        var wire = (byte[]?)value;
        if (CacheWire.Read(wire, _cache.Type, _time) is not { } entry || !IsFresh(query, entry) || (known is not null && !entry.IsLaterThan(known)))
        {
            return null;
        }

        Remember(query, flight, entry, wire!.Length);
        return entry;
    }

    /// <summary>Lands; what to put into Redis, and for how long, if there is something and it is in use.</summary>
    private async Task<(byte[]? Wire, TimeSpan Life)> LoadAsync(CacheQuery<T> query, Flight flight, CacheEntry<T>? known)
    {
        using var deadline = new CancellationTokenSource(_cache.LoadTimeout, _time);
        using var stop = _stopping.Token.UnsafeRegister(static deadline => ((CancellationTokenSource)deadline!).Cancel(), deadline);
        UpstreamResult<T>? result = null;
        try
        {
            deadline.Token.ThrowIfCancellationRequested();
            result = await query.LoadAsync(flight.Waits, deadline.Token).WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            // Out of time, or the host stops.
        }

        if (result is null || !result.TryGet(out var value, out _))
        {
            // Whatever the load made of its cancellation.
            Fail(query, flight, known, result is null || deadline.IsCancellationRequested ? UpstreamFailure.Timeout : result.Failure!.Value);
            return default;
        }

        var now = _time.Monotonic();
        var isNotFound = value is null;
        var freshUntil = now + (isNotFound ? _ages.NotFoundFor : _ages.FreshFor);
        var entry = new CacheEntry<T>(value, _time.GetUtcNow(), now, freshUntil, freshUntil + _ages.StaleFor, flight.Epoch);
        var life = entry.StaleUntil - now;
        if (isNotFound && _cache.HasInventedKeys && life > 2 * _ages.NotFoundFor)
        {
            life = 2 * _ages.NotFoundFor;
        }

        var wire = CacheWire.Write(entry, _cache.Type);
        Remember(query, flight, entry, wire.Length);

        // Nobody here waits for Redis; but before the lease is released the value is there for who sees it gone. Not if a purge
        // came in between.
        Land(query, flight, entry, loaded: true);
        return wire.Length <= CacheWire.MaxBytes && _ledger.IsSynced && _ledger.Judge(query.Tag, entry.Epoch) == PurgeVerdict.Valid ? (wire, life) : default;
    }

    /// <summary>With a value at hand that is labelled and served; without one the failure is the answer.</summary>
    private void Fail(CacheQuery<T> query, Flight flight, CacheEntry<T>? known, UpstreamFailure reason)
    {
        if (known is not null)
        {
            known.MarkRefreshFailed(_time.Monotonic() + RefreshBackOff);
            CountChange(query);
            Log.RefreshFailed(_logger, _cache.Name, reason.ToString()!);
        }

        if (known is not null && IsUsable(query, known))
        {
            Land(query, flight, known, loaded: true);
        }
        else
        {
            Land(query, flight, new CacheResult<T>(UpstreamResult.Failed<T>(reason), default, Loaded: true, Watch(query.Key), flight.Waits));
        }
    }

    /// <summary>A load that cannot even begin within the time that it would have, or that nobody wants any more, is given up.</summary>
    private async Task<bool> TryTakeSlotAsync(Flight flight)
    {
        using var patience = new CancellationTokenSource(_cache.LoadTimeout, _time);
        lock (_gate)
        {
            if (flight.IsAbandoned)
            {
                return false;
            }

            flight.Waiting = patience;
        }

        try
        {
            await _slots.WaitAsync(patience.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void Remember(CacheQuery<T> query, Flight flight, CacheEntry<T> entry, int size)
    {
        var key = flight.KeptAs;
        lock (_gate)
        {
            if (Remembered(query, key) is { } newer && newer.Epoch > entry.Epoch)
            {
                return;
            }

            using var slot = _memory.CreateEntry(key);
            slot.Value = entry;
            slot.Size = size + (2 * key.Length) + EntryOverhead;
            slot.Priority = _cache.HasInventedKeys && entry.Value is null ? CacheItemPriority.Low : CacheItemPriority.Normal;
            slot.AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(Math.Max(1, (entry.StaleUntil - _time.Monotonic()).Ticks));
        }

        CountChange(query);
    }

    private static int CounterOf(string key) => (string.GetHashCode(key, StringComparison.Ordinal) & int.MaxValue) % Counters;

    private void CountChange(CacheQuery<T> query) => Interlocked.Increment(ref _changes[CounterOf(query.Key)]);

    private void Land(CacheQuery<T> query, Flight flight, CacheEntry<T> entry, bool loaded) =>
        Land(query, flight, Answer(query, entry, loaded, Watch(query.Key), flight.Waits));

    private void Land(CacheQuery<T> query, Flight flight, CacheResult<T> answer)
    {
        // Out of the way first: who comes now finds memory.
        Forget(query, flight);
        flight.Land(answer);
    }

    private void Count(string result) => Metrics.CacheLookups.Add(1, Metrics.Tag("cache", _cache.Name), Metrics.Tag("result", result));

    private void Forget(CacheQuery<T> query, Flight flight)
    {
        lock (_gate)
        {
            if (_flights.TryGetValue(query.Key, out var current) && ReferenceEquals(current, flight))
            {
                _flights.Remove(query.Key);
            }
        }
    }

    /// <summary>With the epoch: a load after a purge does not wait for one that began before it.</summary>
    private static string LeaseName(string keptAs, long epoch) => $"{{{keptAs}}}:{epoch}";

    /// <summary>In memory and in Redis. Without braces, which would make a part of it the hash tag.</summary>
    private string KeptAs(CacheQuery<T> query) => query.Key.AsSpan().ContainsAny('{', '}', '%')
        ? _prefix + query.Key.Replace("%", "%25", StringComparison.Ordinal).Replace("{", "%7B", StringComparison.Ordinal).Replace("}", "%7D", StringComparison.Ordinal)
        : _prefix + query.Key;

    /// <summary>What a look-up holds when it has been in Redis.</summary>
    private record struct Claim(CacheEntry<T>? Entry, int Size, bool HasSlot, string? Lease);

    /// <summary>A look-up under way, and the purge epoch at which it began.</summary>
    private sealed class Flight(long epoch, string keptAs, string leaseName)
    {
        private readonly TaskCompletionSource<CacheResult<T>> _landed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Epoch => epoch;

        public string KeptAs => keptAs;

        public string LeaseName => leaseName;

        /// <summary>How many want it; a refresh is wanted to its end.</summary>
        public int Wanted { get; set; }

        public bool HasBegun { get; set; }

        /// <summary>Nobody wanted it before it had begun: who comes now begins another.</summary>
        public bool IsAbandoned { get; set; }

        /// <summary>Ends its wait for a slot.</summary>
        public CancellationTokenSource? Waiting { get; set; }

        /// <summary>What it waited for; whoever waits for it has waited for the same.</summary>
        public RequestTimings Waits { get; } = new();

        public Task<CacheResult<T>> Task => _landed.Task;

        public void Land(CacheResult<T> answer) => _landed.TrySetResult(answer);

        public void Fail(Exception exception)
        {
            _landed.TrySetException(exception);

            // It may be that nobody waits.
            _ = _landed.Task.Exception;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2201, LogLevel.Debug, "Refreshing an entry of {Cache} failed ({Reason}): it is served stale")]
        public static partial void RefreshFailed(ILogger logger, string cache, string reason);

        [LoggerMessage(2202, LogLevel.Error, "A load of {Cache} broke")]
        public static partial void Broken(ILogger logger, Exception exception, string cache);
    }
}
