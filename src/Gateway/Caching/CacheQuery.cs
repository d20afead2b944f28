namespace Gateway.Caching;

/// <summary>One thing to look up.</summary>
/// <param name="Key">What it is kept under: everything that the upstream's answer depends on.</param>
/// <param name="Tag">What a purge names it by, such as <c>product:builtfor_example</c>.</param>
/// <param name="LoadAsync">Asks the upstream; the value, or why there is none. Never throws but for its token.</param>
internal sealed record CacheQuery<T, TFailure>(string Key, string Tag, Func<CancellationToken, Task<(T Value, TFailure? Failure)>> LoadAsync)
    where TFailure : struct;
