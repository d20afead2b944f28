using Gateway.AccessTokens;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Proxy;

/// <summary>
/// Runs over every configuration before YARP takes it, at start and at each reload; one that it refuses is not used, and YARP keeps
/// the last good one. It gives the shipped clusters their address, and refuses routes that would make the gateway's credentials a hole.
/// </summary>
internal sealed class ProxyConfigGuard(
    IOptions<BillingOptions> billing, IOptions<PaymentwallOptions> paymentwall, IOptions<AccessTokensOptions> tokens) : IProxyConfigFilter
{
    private static readonly string[] SafeMethods = ["GET", "HEAD"];

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel)
    {
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

        foreach (var destination in cluster?.Destinations?.Values ?? [])
        {
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

    /// <summary>Scheme, host and port; null for what is no address, which is nobody's origin.</summary>
    private static string? Origin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority).ToLowerInvariant() : null;
}
