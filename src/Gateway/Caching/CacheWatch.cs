namespace Gateway.Caching;

/// <summary>
/// Tells whether a key's value or label may have changed since the watch began. Keys share counters, so it may say so wrongly, but
/// never misses a change.
/// </summary>
internal readonly struct CacheWatch(long[] counters, int index)
{
    private readonly long _seen = Volatile.Read(ref counters[index]);

    public bool IsUnchanged => Volatile.Read(ref counters[index]) == _seen;
}
