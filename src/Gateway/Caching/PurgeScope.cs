namespace Gateway.Caching;

/// <summary>What a purge is about.</summary>
/// <param name="Tag">What entries are tagged with, such as <c>sku:x</c>; null for everything.</param>
/// <param name="Hard">Delete; otherwise mark stale, so that the old value is served while it is refreshed.</param>
internal sealed record PurgeScope(string? Tag, bool Hard);
