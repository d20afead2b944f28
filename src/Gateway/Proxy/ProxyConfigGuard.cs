using System.Security.Authentication;
using Gateway.AccessTokens;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Proxy;

/// <summary>
/// Runs over every configuration before YARP takes it, at start and at each reload; one that it refuses is not used, and YARP keeps
/// the last good one. It gives the shipped clusters their address, and refuses routes that would make the gateway's credentials a hole.
/// What a cluster or a route with credentials may say is listed here, so that what a later YARP adds is refused until somebody has looked at it.
/// </summary>
internal sealed class ProxyConfigGuard(
    IOptions<BillingOptions> billing, IOptions<PaymentwallOptions> paymentwall, IOptions<AccessTokensOptions> tokens) : IProxyConfigFilter
{
    private static readonly string[] SafeMethods = ["GET", "HEAD"];

    /// <summary>By the key that names it. The rest takes over the caller's headers, or makes another method of a <c>GET</c> that is open.</summary>
    private static readonly string[] AllowedTransforms =
    [
        CredentialRoute.AccessToken, CredentialRoute.PaymentwallSignature, "PathPrefix", "PathRemovePrefix", "PathSet", "PathPattern",
        "QueryValueParameter", "QueryRouteParameter", "QueryRemoveParameter", "RequestHeader", "RequestHeaderRemove",
        "ResponseHeader", "ResponseHeaderRemove", "ResponseHeadersAllowed", "ResponseTrailer", "ResponseTrailerRemove",
    ];

    private static readonly string[] OwnedHeaders = ["Host", "Authorization"];

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
        if (cluster.HttpClient?.DangerousAcceptAnyServerCertificate is true)
        {
            throw new InvalidOperationException(
                $"{Key(cluster)}:HttpClient:DangerousAcceptAnyServerCertificate: certificates are always validated; remove it and trust a private authority by SSL_CERT_FILE or SSL_CERT_DIR.");
        }

        Uri? address = cluster.ClusterId switch
        {
            "billing" => billing.Value.Root,
            "paymentwall" => paymentwall.Value.Root,
            _ => null,
        };
        return new(address is null || cluster.Destinations is { Count: > 0 }
            ? cluster
            : cluster with
            {
                Destinations = new Dictionary<string, DestinationConfig>(StringComparer.OrdinalIgnoreCase)
                {
                    [cluster.ClusterId] = new() { Address = address.AbsoluteUri },
                },
            });
    }

    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        var errors = Errors(route, cluster).ToList();
        return errors.Count == 0
            ? new(route)
            : throw new InvalidOperationException(string.Join(" ", errors));
    }

    private IEnumerable<string> Errors(RouteConfig route, ClusterConfig? cluster)
    {
        if (!route.AttachesCredentials())
        {
            yield break;
        }

        var path = $"ReverseProxy:Routes:{route.RouteId}";
        if (string.IsNullOrEmpty(route.AuthorizationPolicy))
        {
            yield return $"{path}:AuthorizationPolicy: a route that attaches credentials must name a policy: proxy, admin, or anonymous for GET and HEAD only.";
        }

        if (route.IsAnonymous() && !(route.Match.Methods is { Count: > 0 } methods && methods.All(method => SafeMethods.Contains(method, StringComparer.OrdinalIgnoreCase))))
        {
            yield return $"{path}:Match:Methods: an anonymous route that attaches credentials must be limited to GET and HEAD.";
        }

        if (route.IsAnonymous() && route.AllowsUpgrade())
        {
            yield return $"{path}:Metadata:AllowUpgrade: an anonymous route that attaches credentials must not allow upgrades; remove it or name a policy.";
        }

        foreach (var transform in route.Transforms ?? [])
        {
            if (!transform.Keys.Any(key => AllowedTransforms.Contains(key, StringComparer.OrdinalIgnoreCase)))
            {
                yield return $"{path}:Transforms: {string.Join(", ", transform.Keys)} is not allowed on a route that attaches credentials; remove it. Allowed: {string.Join(", ", AllowedTransforms)}.";
            }

            if (transform.Any(setting => setting.Key.Equals("RequestHeader", StringComparison.OrdinalIgnoreCase) && OwnedHeaders.Contains(setting.Value, StringComparer.OrdinalIgnoreCase)))
            {
                yield return $"{path}:Transforms:RequestHeader: {string.Join(" and ", OwnedHeaders)} are the gateway's own on a route that attaches credentials; remove it.";
            }
        }

        foreach (var error in cluster is null ? [] : Errors(cluster))
        {
            yield return error;
        }

        foreach (var (name, destination) in cluster?.Destinations ?? new Dictionary<string, DestinationConfig>(StringComparer.Ordinal))
        {
            if (!string.IsNullOrEmpty(destination.Host))
            {
                yield return $"{Key(cluster!)}:Destinations:{name}:Host: would name another host to which credentials go; remove it and put the host into the address.";
            }

            var origin = Origin(destination.Address);
            if (route.AttachesToken() && origin != Origin(billing.Value.Root.AbsoluteUri) && !tokens.Value.AllowedOrigins.Select(Origin).Contains(origin, StringComparer.Ordinal))
            {
                yield return $"{path}: the access token may only go to Billing:BaseAddress's origin or one in AccessTokens:AllowedOrigins; cluster '{route.ClusterId}' leads elsewhere.";
            }

            if (route.Signs() && origin != Origin(paymentwall.Value.Root.AbsoluteUri))
            {
                yield return $"{path}: only calls to Paymentwall:BaseAddress's origin may be signed; cluster '{route.ClusterId}' leads elsewhere.";
            }
        }
    }

    /// <summary>What a cluster that carries credentials must not say.</summary>
    private static IEnumerable<string> Errors(ClusterConfig cluster)
    {
        var key = Key(cluster);
        if (cluster.HttpClient is { } client)
        {
            if (client.SslProtocols is { } protocols && (protocols & ~(SslProtocols.Tls12 | SslProtocols.Tls13)) != SslProtocols.None)
            {
                yield return $"{key}:HttpClient:SslProtocols: a cluster that carries credentials speaks TLS 1.2 or later; write Tls12 and Tls13, or remove it.";
            }

            if (client.WebProxy is not null)
            {
                yield return $"{key}:HttpClient:WebProxy: a cluster that carries credentials has no proxy of its own; remove it.";
            }

            if (client with { SslProtocols = null, WebProxy = null, DangerousAcceptAnyServerCertificate = null, MaxConnectionsPerServer = null, EnableMultipleHttp2Connections = null } != new HttpClientConfig())
            {
                yield return $"{key}:HttpClient: a cluster that carries credentials may have SslProtocols, MaxConnectionsPerServer and EnableMultipleHttp2Connections; remove the rest.";
            }
        }

        if (cluster.HttpRequest is { } request && request with { ActivityTimeout = null, Version = null, VersionPolicy = null, AllowResponseBuffering = null } != ForwarderRequestConfig.Empty)
        {
            yield return $"{key}:HttpRequest: a cluster that carries credentials may have ActivityTimeout, Version, VersionPolicy and AllowResponseBuffering; remove the rest.";
        }

        if (cluster.SessionAffinity?.Enabled is true)
        {
            yield return $"{key}:SessionAffinity: sets cookies for the gateway's origin; remove it from a cluster that carries credentials.";
        }

        if (cluster with { ClusterId = string.Empty, LoadBalancingPolicy = null, SessionAffinity = null, HealthCheck = null, HttpClient = null, HttpRequest = null, Destinations = null, Metadata = null } != new ClusterConfig { ClusterId = string.Empty })
        {
            yield return $"{key}: a cluster that carries credentials may have LoadBalancingPolicy, HealthCheck, HttpClient, HttpRequest, Destinations and Metadata; remove the rest.";
        }
    }

    private static string Key(ClusterConfig cluster) => $"{ProxyExtensions.Section}:Clusters:{cluster.ClusterId}";

    /// <summary>Scheme, host and port; null for what is no address, which is nobody's origin.</summary>
    private static string? Origin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority).ToLowerInvariant() : null;
}
