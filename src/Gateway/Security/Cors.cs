using Gateway.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

/// <summary>
/// Cross-origin reading by the configured pages: GET and HEAD, never with credentials of the browser's. What changes something needs a
/// key, and keys that may change something do not belong into a browser.
/// </summary>
internal static class Cors
{
    /// <summary>What a page may read of an answer besides its body; the safelisted headers need no mention.</summary>
    private static readonly string[] Exposed = ["ETag", "Age", "Cache-Status", "Server-Timing", "Retry-After"];

    private static readonly string[] Allowed =
    [
        "Accept", "Accept-Language", "Cache-Control", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Range",
        "sandbox", "traceparent", "tracestate", ApiKeyHandler.HeaderName,
    ];

    /// <summary>For how long a browser need not ask again.</summary>
    private static readonly TimeSpan PreflightFor = TimeSpan.FromMinutes(10);

    public static void AddGatewayCors(this IServiceCollection services)
    {
        services.AddCors();
        services.AddSingleton<ICorsService, ServiceWithoutVary>();
        services.AddSingleton<CorsHeaders>();
        services.AddOptions<CorsOptions>()
            .Configure<IOptions<SecurityOptions>>((cors, security) => cors.AddDefaultPolicy(policy =>
            {
                policy.WithOrigins([.. security.Value.Cors.Origins.Select(Normalise)])
                    .SetIsOriginAllowedToAllowWildcardSubdomains()
                    .WithMethods(HttpMethods.Get, HttpMethods.Head)
                    .WithHeaders(Allowed)
                    .WithExposedHeaders(Exposed)
                    .SetPreflightMaxAge(PreflightFor);

                // Browsers write an origin in ASCII, so nothing else is one, whatever a wildcard says.
                var isListed = policy.Build().IsOriginAllowed;
                policy.SetIsOriginAllowed(origin => !origin.AsSpan().ContainsAnyExceptInRange('!', '~') && isListed(origin));
            }));
    }

    /// <summary>As browsers write it: lower case, and without the port that the scheme implies.</summary>
    private static string Normalise(string origin)
    {
        var (scheme, host) = (origin[..(origin.IndexOf("://", StringComparison.Ordinal) + 3)].ToLowerInvariant(), origin[(origin.IndexOf("://", StringComparison.Ordinal) + 3)..]);
        var wildcard = host.StartsWith("*.", StringComparison.Ordinal) ? "*." : string.Empty;
        var uri = new Uri(scheme + host[wildcard.Length..]);
        var name = uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
        return $"{scheme}{wildcard}{name.ToLowerInvariant()}{(uri.IsDefaultPort ? string.Empty : ":" + uri.Port)}";
    }

    /// <summary><c>Vary: Origin</c> stands on every answer (<see cref="SecurityHeaders"/>), with and without an origin in the request; here it would come twice.</summary>
    private sealed class ServiceWithoutVary(IOptions<CorsOptions> options, ILoggerFactory logger) : CorsService(options, logger)
    {
        public override void ApplyResult(CorsResult result, HttpResponse response)
        {
            result.VaryByOrigin = false;
            base.ApplyResult(result, response);
        }
    }
}
