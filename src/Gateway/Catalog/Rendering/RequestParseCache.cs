using System.Collections.Concurrent;
using Gateway.Configuration;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog.Rendering;

/// <summary>
/// Requests that were parsed before: the same target and the same headers that matter mean the same, so a request is parsed once and
/// not for every page view. Bounded; when it is full it begins anew, which costs one parse each.
/// </summary>
internal sealed class RequestParseCache(IOptions<CatalogOptions> options)
{
    /// <summary>With <see cref="MaxLength"/> some megabytes at the very most.</summary>
    internal const int Capacity = 2_048;

    /// <summary>Characters of path, query and the headers that matter; what is longer is parsed each time.</summary>
    internal const int MaxLength = 512;

    private ConcurrentDictionary<Key, ParsedRequest> _parsed = new();
    private int _count;

    public ParsedRequest? Find(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.Path.StartsWithSegments("/catalog", StringComparison.OrdinalIgnoreCase)
        && KeyOf(context) is { } key
        && _parsed.TryGetValue(key, out var parsed) ? parsed : null;

    /// <param name="context">The request.</param>
    /// <param name="request">What it means.</param>
    public void Remember(HttpContext context, CatalogRequest request)
    {
        // Another status is not for everybody.
        if (request.Status != CatalogRequest.PublicStatus || !HttpMethods.IsGet(context.Request.Method) || KeyOf(context) is not { } key || _parsed.ContainsKey(key))
        {
            return;
        }

        if (Interlocked.Increment(ref _count) > Capacity)
        {
            _parsed = new();
            _count = 1;
        }

        _parsed[key] = new ParsedRequest(request, ContentCodings.Negotiate(context.Request.Headers), context.GetEndpoint());
    }

    /// <summary>Null for a request that is not remembered.</summary>
    private Key? KeyOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var headers = context.Request.Headers;
        var countryHeader = options.Value.CountryHeader;
        var (coding, sandbox, country) = (headers.AcceptEncoding, headers["sandbox"], countryHeader.Length > 0 ? headers[countryHeader] : default);
        if (coding.Count > 1 || sandbox.Count > 1 || country.Count > 1)
        {
            return null;
        }

        var key = new Key(target, (string?)coding, (string?)sandbox, (string?)country);
        return key.Length > MaxLength ? null : key;
    }

    private readonly record struct Key(string Target, string? AcceptEncoding, string? Sandbox, string? Country)
    {
        public int Length => Target.Length + (AcceptEncoding?.Length ?? 0) + (Sandbox?.Length ?? 0) + (Country?.Length ?? 0);
    }
}

/// <summary>A parsed request, the content coding it is answered in, and the route that it takes.</summary>
internal sealed record ParsedRequest(CatalogRequest Request, ContentCoding Coding, Endpoint? Endpoint);
