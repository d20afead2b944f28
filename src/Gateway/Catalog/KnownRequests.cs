using System.Collections.Concurrent;
using Gateway.Configuration;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>
/// Which question a request asks that was read before: the same target and the same headers that matter ask the same. So a question
/// is read once, not for every page view. Bounded; when it is full it begins anew, which costs a reading each.
/// </summary>
internal sealed class KnownRequests(IOptions<CatalogOptions> country)
{
    /// <summary>With <see cref="Longest"/> some megabytes at the very most.</summary>
    internal const int Capacity = 2_048;

    /// <summary>Characters of path, query and the headers that matter; what is longer is read each time.</summary>
    internal const int Longest = 512;

    private ConcurrentDictionary<Request, KnownRequest> _known = new();
    private int _count;

    public KnownRequest? Find(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) && Read(context) is { } request && _known.TryGetValue(request, out var known) ? known : null;

    /// <summary>The request asks this.</summary>
    public void Remember(HttpContext context, CatalogQuestion question)
    {
        // Other questions are not for everybody.
        if (question.Status != CatalogQuestion.PublicStatus || !HttpMethods.IsGet(context.Request.Method) || Read(context) is not { } request)
        {
            return;
        }

        if (_known.ContainsKey(request))
        {
            return;
        }

        if (Interlocked.Increment(ref _count) > Capacity)
        {
            _known = new();
            _count = 1;
        }

        _known[request] = new KnownRequest(question, ContentCodings.Negotiate(context.Request.Headers), context.GetEndpoint());
    }

    /// <summary>Null for one that is not remembered.</summary>
    private Request? Read(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var headers = context.Request.Headers;
        var countryHeader = country.Value.CountryHeader;
        var (coding, sandbox, from) = (headers.AcceptEncoding, headers["sandbox"], countryHeader.Length > 0 ? headers[countryHeader] : default);
        if (coding.Count > 1 || sandbox.Count > 1 || from.Count > 1)
        {
            return null;
        }

        var request = new Request(target, (string?)coding, (string?)sandbox, (string?)from);
        return request.Length > Longest ? null : request;
    }

    private readonly record struct Request(string Target, string? AcceptEncoding, string? Sandbox, string? Country)
    {
        public int Length => Target.Length + (AcceptEncoding?.Length ?? 0) + (Sandbox?.Length ?? 0) + (Country?.Length ?? 0);
    }
}
