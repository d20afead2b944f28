using Gateway.Caching;
using Gateway.Problems;

namespace Gateway.Catalog;

/// <summary>What could be put together for a question.</summary>
/// <param name="Response">The answer; null if <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Nothing could be had, or what is required is missing.</param>
/// <param name="FreshUntil">Until when all of its parts are fresh.</param>
/// <param name="Loaded">An upstream was asked for it.</param>
/// <param name="Parts">Watches over everything that it was made of.</param>
internal sealed record CatalogAssembly(
    CatalogResponse? Response, Problem? Problem, DateTimeOffset FreshUntil, bool Loaded, IReadOnlyList<CacheWatch> Parts);
