using System.Text.Json.Serialization.Metadata;
using Gateway.Observability;
using Gateway.Problems;

namespace Gateway.Caching;

/// <summary>A value that an upstream gave, and what became of it since.</summary>
/// <param name="value">The value; null, which says "there is no such thing", is one too.</param>
/// <param name="asOf">When the upstream gave it, by the wall clock of then: for show, and for other replicas.</param>
/// <param name="storedAt">The same moment by the monotonic clock, as the next two.</param>
/// <param name="freshUntil">Until when it is served without asking again.</param>
/// <param name="staleUntil">Until when it may be served at all.</param>
/// <param name="epoch">The purge epoch at which its load began.</param>
internal sealed class CacheEntry<T>(T value, DateTimeOffset asOf, TimeSpan storedAt, TimeSpan freshUntil, TimeSpan staleUntil, long epoch)
{
    private volatile bool _refreshFailed;
    private long _nextRefresh;

    public T Value => value;

    public DateTimeOffset AsOf => asOf;

    public TimeSpan StoredAt => storedAt;

    public TimeSpan FreshUntil => freshUntil;

    public TimeSpan StaleUntil => staleUntil;

    public long Epoch => epoch;

    /// <summary>The last refresh failed: from now on the value is labelled stale.</summary>
    public bool RefreshFailed => _refreshFailed;

    /// <summary>Got later than that one. The same one, read again after the wall clock was set back, is not.</summary>
    public bool IsLaterThan(CacheEntry<T> other) => storedAt > other.StoredAt && asOf.ToUnixTimeMilliseconds() != other.AsOf.ToUnixTimeMilliseconds();

    public bool MayRefresh(TimeSpan now) => now.Ticks >= Volatile.Read(ref _nextRefresh);

    public void MarkRefreshFailed(TimeSpan nextRefresh)
    {
        Volatile.Write(ref _nextRefresh, nextRefresh.Ticks);
        _refreshFailed = true;
    }
}

/// <summary>What the cache has for a query.</summary>
/// <param name="Result">A value, fresh or stale, or why nothing could be had and nothing usable is cached.</param>
/// <param name="FreshUntil">Until when the value is fresh, by the monotonic clock; in the past for a stale one.</param>
/// <param name="Loaded">An upstream was asked for it.</param>
/// <param name="Watch">Tells whether it has changed since.</param>
/// <param name="Waits">What was waited for to have it; null if it was in memory.</param>
internal sealed record CacheResult<T>(UpstreamResult<T> Result, TimeSpan FreshUntil, bool Loaded, ChangeStamp Watch, RequestTimings? Waits);

/// <summary>One thing to look up.</summary>
/// <param name="Key">What it is kept under: everything that the upstream's answer depends on.</param>
/// <param name="Tag">What a purge names it by, such as <c>product:builtfor_example</c>.</param>
/// <param name="LoadAsync">Calls the upstream, and notes what it waits for. Never throws but for its token.</param>
internal sealed record CacheQuery<T>(string Key, string Tag, Func<RequestTimings, CancellationToken, Task<UpstreamResult<T>>> LoadAsync);

/// <summary>
/// Tells whether a key's value or label may have changed since the watch began. Keys share counters, so it may say so wrongly, but
/// never misses a change.
/// </summary>
internal readonly struct ChangeStamp(long[] counters, int index)
{
    private readonly long _seen = Volatile.Read(ref counters[index]);

    public bool IsUnchanged => Volatile.Read(ref counters[index]) == _seen;
}

/// <summary>What distinguishes one entity cache from another.</summary>
/// <param name="Name">Part of every key.</param>
/// <param name="Type">How a value is written.</param>
/// <param name="LoadTimeout">What one load may take; it runs on this and not on any caller's cancellation.</param>
/// <param name="MaxConcurrentLoads">Loads in flight at most, those in the background included.</param>
/// <param name="HasInventedKeys">
/// A client can make up keys: what is not there must not push other entries out of memory, and lies in Redis only for twice
/// <c>NotFoundFor</c>.
/// </param>
internal sealed record TwoLevelCacheOptions<T>(
    string Name, JsonTypeInfo<T> Type, TimeSpan LoadTimeout, int MaxConcurrentLoads, bool HasInventedKeys = false);
