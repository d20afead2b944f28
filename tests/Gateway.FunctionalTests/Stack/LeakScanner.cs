using System.Net;
using System.Text.RegularExpressions;

namespace Gateway.FunctionalTests.Stack;

/// <summary>Looks for credentials in what a gateway printed or answered: those it was given, and whatever has the form of one.</summary>
internal static partial class LeakScanner
{
    /// <summary>Upstreams may echo what they were sent only where a test makes them.</summary>
    private static readonly string[] Secrets =
    [
        GatewayProcess.ClientSecret,
        WebUtility.UrlEncode(GatewayProcess.ClientSecret),
        Uri.EscapeDataString(GatewayProcess.ClientSecret),
        GatewayProcess.ProjectSecret,
        GatewayProcess.ProjectKey,
        GatewayProcess.AdminKey,
        GatewayProcess.ProxyKey,
        RedisSecureProcess.Password,
        ForwardProxy.Password,
        Uri.EscapeDataString(ForwardProxy.Password),
    ];

    public static void AssertNone(string text)
    {
        if (Find(text) is { } found)
        {
            Assert.Fail($"A credential leaked: ...{found}...");
        }
    }

    /// <summary>The first leak with what is around it; null if there is none.</summary>
    public static string? Find(string text)
    {
        foreach (var secret in Secrets)
        {
            if (text.IndexOf(secret, StringComparison.Ordinal) is >= 0 and var at)
            {
                return Around(text, at);
            }
        }

        return Forms().Match(text) is { Success: true } match ? Around(text, match.Index) : null;
    }

    private static string Around(string text, int at) => text[Math.Max(0, at - 80)..Math.Min(text.Length, at + 120)];

    /// <summary>A JSON Web Token, an authorization value, a signature in a query.</summary>
    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|\b(Bearer|Basic) [A-Za-z0-9+/=._-]{16,}|[?&]sign=[0-9a-f]{32}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Forms();
}
