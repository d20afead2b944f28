using Gateway.Problems;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Proxy;

/// <summary>
/// What every route does to headers, and, last in the chain, the credentials of those that attach some. Both ways by allow-list: the
/// caller's own credentials, cookies, forwarding and method-override headers never travel up, and what an upstream says for its own
/// origin (cookies, policies, challenges) never becomes the gateway's.
/// </summary>
internal sealed class CredentialTransforms(AccessTokenTransform accessToken, PaymentwallSignatureTransform signature) : ITransformProvider
{
    private static readonly string[] AllowedUp =
    [
        "Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "Content-Length", "If-Match", "If-None-Match",
        "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "User-Agent", "sandbox",
    ];

    /// <summary>Representation, validators, caching, what RFC 9110 and the rate-limit drafts say to a client. A route adds to it by <c>ResponseHeadersAllowed</c>.</summary>
    private static readonly string[] AllowedDown =
    [
        "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range", "Content-Disposition", "Accept-Ranges", "Allow",
        "ETag", "Last-Modified", "Date", "Age", "Cache-Control", "Expires", "Pragma", "Vary", "Link", "Retry-After",
        "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset",
        "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
    ];

    /// <summary>Not even where a route allows them.</summary>
    private static readonly string[] NeverDown = ["Set-Cookie", "Set-Cookie2", "Server", "WWW-Authenticate", "Proxy-Authenticate", "Clear-Site-Data"];

    public void ValidateRoute(TransformRouteValidationContext context)
    {
        // ProxyConfigGuard sees route and cluster together.
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
        // As above.
    }

    public void Apply(TransformBuilderContext context)
    {
        context.UseDefaultForwarders = false;
        context.CopyRequestHeaders = false;
        context.AddRequestHeadersAllowed(AllowedUp);
        if (context.Route.AttachesToken())
        {
            context.RequestTransforms.Add(accessToken);
        }

        if (context.Route.Signs())
        {
            context.RequestTransforms.Add(signature);
        }

        var (attachesCredentials, needsKey) = (context.Route.AttachesCredentials(), !context.Route.IsAnonymous());

        // First, so that a header which the route sets stays as it was set.
        context.CopyResponseHeaders = false;
        context.ResponseTransforms.Insert(0, new ResponseHeadersAllowedTransform(AllowedDown));
        context.CopyResponseTrailers = false;
        context.ResponseTrailersTransforms.Insert(0, new ResponseTrailersAllowedTransform(AllowedDown));
        context.AddResponseTransform(response => PassAsync(response, attachesCredentials, needsKey));
        context.AddResponseTrailersTransform(response =>
        {
            // A header that comes after the body is a header all the same.
            Strip(response.HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers, response.ProxyResponse?.Headers.Connection);
            return default;
        });
    }

    private static async ValueTask PassAsync(ResponseTransformContext context, bool attachesCredentials, bool needsKey)
    {
        if (context.ProxyResponse is not { } upstream)
        {
            return;
        }

        // The upstream's word passes as it is, also an error without a body.
        if (context.HttpContext.Features.Get<IStatusCodePagesFeature>() is { } pages)
        {
            pages.Enabled = false;
        }

        var response = context.HttpContext.Response;
        var status = (int)upstream.StatusCode;

        // A redirect could take our signature or token elsewhere; a 401 says that our credentials, not the caller's, were refused.
        if (attachesCredentials && (status is >= 300 and < 400 and not StatusCodes.Status304NotModified || status == StatusCodes.Status401Unauthorized))
        {
            context.SuppressResponseBody = true;
            ProxyProblems.Replace(context.HttpContext, Problem.UpstreamRejected);
            return;
        }

        Strip(response.Headers, upstream.Headers.Connection);
        response.Headers.XContentTypeOptions = "nosniff";
        if (needsKey || ProxyGuard.HasHeadersCountry(context.HttpContext) || context.HttpContext.Request.Headers.ContainsKey("sandbox"))
        {
            KeepFromSharedCaches(response.Headers);
        }

        if (!attachesCredentials && upstream.Headers.Location is { } location && !IsItsOwn(location, upstream))
        {
            response.Headers.Location = location.OriginalString;
        }

        if (status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified)
        {
            // Whatever length it claims, there is no body.
            response.ContentLength = null;
            context.SuppressResponseBody = true;
        }

        if (upstream.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            // Endless by nature: the route's total time is not for these, and the client must not wait for the first event to
            // learn that it is connected.
            context.HttpContext.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
            await response.Body.FlushAsync(context.CancellationToken);
        }
    }

    /// <summary>An address of the upstream's host: of no use to the caller, and not to be known.</summary>
    private static bool IsItsOwn(Uri location, HttpResponseMessage upstream) =>
        location.IsAbsoluteUri && location.Host.Equals(upstream.RequestMessage?.RequestUri?.Host, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// What depends on more than its URL (a key, a country or sandbox in a header) is for its caller alone, whatever is said by the upstream,
    /// which does not see that.
    /// </summary>
    private static void KeepFromSharedCaches(IHeaderDictionary headers)
    {
        // What cannot be read may have forbidden more than this allows.
        var said = CacheControlHeaderValue.TryParse(headers.CacheControl.ToString(), out var parsed) ? parsed
            : new CacheControlHeaderValue { NoStore = headers.CacheControl.Count > 0 };
        if (parsed is not { NoStore: true })
        {
            // Named headers would make the rest everybody's.
            (said.Public, said.SharedMaxAge, said.Private) = (false, null, true);
            said.PrivateHeaders.Clear();
            headers.CacheControl = said.ToString();
        }

        headers["CDN-Cache-Control"] = "no-store";
    }

    /// <param name="headers">From which is taken what never passes.</param>
    /// <param name="hopByHop">Names in the upstream's <c>Connection</c>: they are about that connection.</param>
    private static void Strip(IHeaderDictionary? headers, IEnumerable<string>? hopByHop)
    {
        foreach (var name in headers is null ? [] : NeverDown.Concat(hopByHop ?? []))
        {
            headers!.Remove(name);
        }

        foreach (var name in headers?.Keys.Where(name => name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)).ToList() ?? [])
        {
            headers!.Remove(name);
        }
    }
}
