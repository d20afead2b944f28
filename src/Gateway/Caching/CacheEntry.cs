namespace Gateway.Caching;

/// <summary>A value that an upstream gave, and what became of it since.</summary>
/// <param name="value">The value; "there is no such thing" is one too.</param>
/// <param name="storedAt">When the upstream gave it.</param>
/// <param name="freshUntil">Until when it is served without asking again.</param>
/// <param name="staleUntil">Until when it may be served at all.</param>
/// <param name="epoch">The purge epoch at which its load began.</param>
internal sealed class CacheEntry<T>(T value, DateTimeOffset storedAt, DateTimeOffset freshUntil, DateTimeOffset staleUntil, long epoch)
{
    private volatile bool _refreshFailed;
    private long _nextRefresh;

    public T Value => value;

    public DateTimeOffset StoredAt => storedAt;

    public DateTimeOffset FreshUntil => freshUntil;

    public DateTimeOffset StaleUntil => staleUntil;

    public long Epoch => epoch;

    /// <summary>The last refresh failed: from now on the value is labelled stale.</summary>
    public bool RefreshFailed => _refreshFailed;

    public bool MayRefresh(DateTimeOffset now) => now.UtcTicks >= Volatile.Read(ref _nextRefresh);

    public void MarkRefreshFailed(DateTimeOffset nextRefresh)
    {
        Volatile.Write(ref _nextRefresh, nextRefresh.UtcTicks);
        _refreshFailed = true;
    }
}
