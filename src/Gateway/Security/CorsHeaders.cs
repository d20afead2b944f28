using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

/// <summary>What <see cref="Cors"/> says of a page's GET, for an answer that does not pass through ASP.NET Core's middleware.</summary>
internal sealed class CorsHeaders
{
    private readonly CorsPolicy _policy;
    private readonly string _exposed;

    public CorsHeaders(IOptions<CorsOptions> options)
    {
        _policy = options.Value.GetPolicy(options.Value.DefaultPolicyName)!;
        _exposed = string.Join(',', _policy.ExposedHeaders);
    }

    public void Set(HttpContext context)
    {
        if (context.Request.Headers.Origin is [{ } origin] && _policy.IsOriginAllowed(origin))
        {
            context.Response.Headers.AccessControlAllowOrigin = origin;
            context.Response.Headers.AccessControlExposeHeaders = _exposed;
        }
    }
}
