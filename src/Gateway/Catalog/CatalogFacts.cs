using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Catalog;

/// <summary>What is worth knowing of a catalog answer once it is sent, for logs and metrics. There are as many as there are combinations.</summary>
/// <param name="Cache"><c>ready</c>: nothing had to be done; <c>cached</c>: put together of what was cached; <c>loaded</c>: an upstream was asked.</param>
/// <param name="Completeness"><c>complete</c>, <c>stale</c> (complete, with a price whose refresh failed), <c>incomplete</c>; <c>failed</c>: a problem instead.</param>
internal sealed record CatalogFacts(string Cache, string Completeness)
{
    public const string Ready = "ready";
    public const string Cached = "cached";
    public const string Loaded = "loaded";

    private static readonly string[] Caches = [Ready, Cached, Loaded];
    private static readonly string[] All = ["complete", "stale", "incomplete", "failed"];
    private static readonly CatalogFacts[] Known = [.. Caches.SelectMany(cache => All.Select(completeness => new CatalogFacts(cache, completeness)))];

    public static CatalogFacts Of(string cache, string completeness) =>
        (Array.IndexOf(Caches, cache), Array.IndexOf(All, completeness)) is ( >= 0 and var row, >= 0 and var column)
            ? Known[(row * All.Length) + column]
            : throw new ArgumentException($"There are no facts {cache}, {completeness}.", nameof(cache));

    /// <summary>For the log, and as tags of the request's span if one is collected.</summary>
    public void Describe(HttpContext context)
    {
        context.Features.Set(this);
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } span)
        {
            span.SetTag("gateway.catalog.cache", Cache).SetTag("gateway.catalog.completeness", Completeness);
        }
    }
}
