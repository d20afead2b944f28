using System.Text.Json.Serialization.Metadata;

namespace Gateway.Caching;

/// <summary>What distinguishes one entity cache from another.</summary>
/// <param name="Name">Part of every key.</param>
/// <param name="Type">How a value is written.</param>
/// <param name="IsNotFound">Whether a value says "there is no such thing", which is kept for a shorter time.</param>
/// <param name="LoadTimeout">What one load may take; it runs on this and not on any caller's cancellation.</param>
/// <param name="MaxConcurrentLoads">Loads in flight at most, those in the background included.</param>
/// <param name="TimedOut">The failure of a load that ran out of time.</param>
internal sealed record TwoLevelCacheOptions<T, TFailure>(
    string Name, JsonTypeInfo<T> Type, Func<T, bool> IsNotFound, TimeSpan LoadTimeout, int MaxConcurrentLoads, TFailure TimedOut)
    where TFailure : struct;
