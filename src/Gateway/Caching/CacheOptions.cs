namespace Gateway.Caching;

/// <summary>How long what the upstreams said is kept. Keys of the section <c>Catalog</c>.</summary>
internal sealed class CacheOptions
{
    public const string Section = "Catalog";

    /// <summary>For how long an answer of an upstream is fresh: served without asking again. Default 1 min, range 1 s to 1 h.</summary>
    public TimeSpan FreshFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// For how much longer it is served while it is refreshed in the background, or while the upstream fails. Default 24 h, range
    /// 0 to 7 days.
    /// </summary>
    public TimeSpan StaleFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>For how long "there is no such thing" is fresh, and then once more stale. Default 30 s, range 1 s to 1 h.</summary>
    public TimeSpan NotFoundFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Memory for everything cached in this replica, in bytes of payload. Default 67108864 (64 MiB), range 1 MiB to 8 GiB.</summary>
    public long MemoryLimit { get; set; } = 64L * 1024 * 1024;
}
