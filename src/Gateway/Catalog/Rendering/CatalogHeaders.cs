using System.Globalization;
using Gateway.Configuration;
using Gateway.Observability;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Catalog.Rendering;

/// <summary>The caching headers of the catalog: RFC 9110 (validators), 9111 (freshness), 5861 (stale), 9211 (Cache-Status).</summary>
internal sealed class CatalogHeaders(IOptions<CatalogOptions> options, IOptions<SecurityOptions> access, TimeProvider time)
{
    private readonly string _vary = string.Join(", ", new[] { "Accept-Encoding", "sandbox", options.Value.CountryHeader }.Where(name => name.Length > 0));

    private readonly bool _mayDependOnHeader = options.Value.CountryHeader.Length > 0;

    private readonly string _staleWindows = string.Create(
        CultureInfo.InvariantCulture,
        $", stale-while-revalidate={(long)options.Value.FreshFor.TotalSeconds}, stale-if-error={(long)options.Value.StaleFor.TotalSeconds}");

    /// <summary>On every answer, problems included: it says what the answer may depend on.</summary>
    public void SetVary(HttpResponse response) => response.Headers.Vary = _vary;

    /// <summary>What a 200 and a 304 have in common.</summary>
    public void Set(HttpResponse response, RenderedCatalog catalog, string etag, CatalogRequest request, bool isHit)
    {
        var headers = response.Headers;
        var age = catalog.Age(time.Monotonic());
        headers.ETag = etag;
        if (request.IsPrivate || access.Value.RequireKeyForCatalog)
        {
            headers.CacheControl = "private, no-store";
        }
        else if (_mayDependOnHeader && request.CountrySource != CountrySource.Query)
        {
            // Shared caches exist that ignore Vary: the first visitor's country would be everybody's.
            headers.CacheControl = catalog.CacheControl("private", _staleWindows);
            headers["CDN-Cache-Control"] = "no-store";
        }
        else
        {
            headers.CacheControl = catalog.CacheControl("public", _staleWindows);
        }

        headers.Age = age.Age;
        headers["Cache-Status"] = isHit ? age.CacheStatus : "gateway; fwd=miss; stored";
    }

    /// <summary>Weak comparison against what would be sent; <c>*</c> matches anything.</summary>
    public static bool IsNotModified(HttpRequest httpRequest, string etag)
    {
        var known = httpRequest.Headers.IfNoneMatch;
        return known.Count > 0 && ((known.Count == 1 && known[0] == etag) || Names(known, etag));
    }

    private static bool Names(StringValues list, string etag) =>
        EntityTagHeaderValue.TryParseList(list, out var tags) && tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any) || tag.Tag.Equals(etag, StringComparison.Ordinal));
}
