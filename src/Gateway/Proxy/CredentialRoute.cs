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

    public static bool AttachesToken(this RouteConfig route) => Names(route, AccessToken);

    public static bool Signs(this RouteConfig route) => Names(route, PaymentwallSignature);

    public static bool AttachesCredentials(this RouteConfig route) => route.AttachesToken() || route.Signs();

    public static bool IsAnonymous(this RouteConfig route) => AnonymousPolicy.Equals(route.AuthorizationPolicy, StringComparison.OrdinalIgnoreCase);

    public static bool AllowsUpgrade(this RouteConfig route) =>
        route.Metadata is { } metadata && metadata.TryGetValue(AllowUpgrade, out var value) && value.Equals("true", StringComparison.OrdinalIgnoreCase);

    private static bool Names(RouteConfig route, string transform) =>
        route.Transforms?.Any(settings => settings.Keys.Contains(transform, StringComparer.OrdinalIgnoreCase)) ?? false;
}
