using Gateway.Telemetry;

namespace Gateway.Caching;

/// <summary>What the cache has for a query: a value, fresh or stale, or the reason why there is none.</summary>
/// <param name="Value">Meaningful if <paramref name="Failure"/> is null.</param>
/// <param name="Failure">Why nothing could be had, and nothing usable is cached.</param>
/// <param name="FreshUntil">Until when the value is fresh; in the past for a stale one.</param>
/// <param name="StaleAsOf">When a value was got whose last refresh failed; null for any other.</param>
/// <param name="Loaded">An upstream was asked for this answer.</param>
/// <param name="Watch">Tells whether it has changed since.</param>
/// <param name="Seen">What was waited for to have it; null if it was at hand.</param>
internal sealed record CacheAnswer<T, TFailure>(
    T Value, TFailure? Failure, DateTimeOffset FreshUntil, DateTimeOffset? StaleAsOf, bool Loaded, CacheWatch Watch, Timeline? Seen = null)
    where TFailure : struct;
