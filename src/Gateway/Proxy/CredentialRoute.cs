using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Proxy;

/// <summary>What a route's configuration says about credentials.</summary>
internal static class CredentialRoute
{
    /// <summary>Name of the transform that attaches the gateway's bearer token.</summary>
    public const string AccessToken = "AccessToken";

    /// <summary>Name of the transform that signs the query.</summary>
    public const string PaymentwallSignature = "PaymentwallSignature";

    /// <summary>Route metadata that permits protocol upgrades (WebSocket): <c>"AllowUpgrade": "true"</c>.</summary>
    public const string AllowUpgrade = "AllowUpgrade";

    private const string AnonymousPolicy = "anonymous";

    /// <summary>Asked for by every call; a configuration never changes, another one is another object.</summary>
    private static readonly ConditionalWeakTable<RouteConfig, Facts> Known = [];

    public static bool AttachesToken(this RouteConfig route) => Of(route).AttachesToken;

    public static bool Signs(this RouteConfig route) => Of(route).Signs;

    public static bool AttachesCredentials(this RouteConfig route) => Of(route) is { AttachesToken: true } or { Signs: true };

    public static bool IsAnonymous(this RouteConfig route) => AnonymousPolicy.Equals(route.AuthorizationPolicy, StringComparison.OrdinalIgnoreCase);

    public static bool AllowsUpgrade(this RouteConfig route) =>
        route.Metadata is { } metadata && metadata.TryGetValue(AllowUpgrade, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static Facts Of(RouteConfig route) => Known.GetValue(route, static route => new Facts(Names(route, AccessToken), Names(route, PaymentwallSignature)));

    private static bool Names(RouteConfig route, string transform) =>
        route.Transforms?.Any(settings => settings.Keys.Contains(transform, StringComparer.OrdinalIgnoreCase)) ?? false;

    private sealed record Facts(bool AttachesToken, bool Signs);
}
