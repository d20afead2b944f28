using Gateway.Problems;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Proxy;

/// <summary>
/// What every route does to headers, and, last in the chain, the credentials of those that attach some. Up by allow-list: the
/// caller's own credentials, cookies, forwarding and method-override headers never travel. Down by stripping: an upstream must not
/// set cookies or policies for the gateway's origin.
/// </summary>
internal sealed class CredentialTransforms(AccessTokenTransform accessToken, PaymentwallSignatureTransform signature) : ITransformProvider
{
    private static readonly string[] AllowedUp =
    [
        "Accept", "Accept-Language", "Accept-Encoding", "Content-Type", "Content-Length", "If-Match", "If-None-Match",
        "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "User-Agent", "sandbox",
    ];

    private static readonly string[] StrippedDown = ["Set-Cookie", "Server", "WWW-Authenticate", "Clear-Site-Data"];

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

        var attachesCredentials = context.Route.AttachesCredentials();
        context.AddResponseTransform(response => PassAsync(response, attachesCredentials));
        context.AddResponseTrailersTransform(response =>
        {
            // A header that comes after the body is a header all the same.
            Strip(response.HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers);
            return default;
        });
    }

    private static async ValueTask PassAsync(ResponseTransformContext context, bool attachesCredentials)
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

        Strip(response.Headers);
        response.Headers.XContentTypeOptions = "nosniff";
        if (upstream.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            // Endless by nature: the route's total time is not for these, and the client must not wait for the first event to
            // learn that it is connected.
            context.HttpContext.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
            await response.Body.FlushAsync(context.CancellationToken);
        }
    }

    private static void Strip(IHeaderDictionary? headers)
    {
        if (headers is null)
        {
            return;
        }

        List<string>? stripped = null;
        foreach (var (name, _) in headers)
        {
            if (IsStripped(name))
            {
                (stripped ??= []).Add(name);
            }
        }

        stripped?.ForEach(name => headers.Remove(name));
    }

    private static bool IsStripped(string name) =>
        StrippedDown.Contains(name, StringComparer.OrdinalIgnoreCase) || name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase);
}
