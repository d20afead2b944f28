using Gateway.Observability;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Catalog.Rendering;

/// <summary>What is worth knowing of a catalog answer once it is sent, for logs and metrics. There are as many as there are combinations.</summary>
/// <param name="Cache"><c>ready</c>: nothing had to be done; <c>cached</c>: put together of what was cached; <c>loaded</c>: an upstream was asked.</param>
/// <param name="Completeness"><c>complete</c>, <c>stale</c> (complete, with a price whose refresh failed), <c>incomplete</c>; <c>failed</c>: a problem instead.</param>
internal sealed record CatalogCacheStatus(string Cache, string Completeness)
{
    public const string Ready = "ready";
    public const string Cached = "cached";
    public const string Loaded = "loaded";

    /// <summary>A problem instead of a catalog.</summary>
    public const string Failed = "failed";

    private static readonly string[] Caches = [Ready, Cached, Loaded];
    private static readonly string[] All = ["complete", "stale", "incomplete", Failed];
    private static readonly CatalogCacheStatus[] Known = [.. Caches.SelectMany(cache => All.Select(completeness => new CatalogCacheStatus(cache, completeness)))];

    public static CatalogCacheStatus Of(string cache, string completeness) =>
        (Array.IndexOf(Caches, cache), Array.IndexOf(All, completeness)) is ( >= 0 and var row, >= 0 and var column)
            ? Known[(row * All.Length) + column]
            : throw new ArgumentException($"There is no status {cache}, {completeness}.", nameof(cache));

    /// <summary>For the log, the metric, and as tags of the request's span if one is collected.</summary>
    public void Record(HttpContext context)
    {
        context.Features.Set(this);
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } span)
        {
            span.SetTag("gateway.catalog.cache", Cache).SetTag("gateway.catalog.completeness", Completeness);
        }

        if (Metrics.CatalogResponses.Enabled)
        {
            Metrics.CatalogResponses.Add(1, Metrics.Tag("completeness", Completeness), Metrics.Tag("cache", Cache));
        }
    }
}
