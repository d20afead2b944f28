namespace Gateway.Security;

/// <summary>An entry of <c>Security:Cors:Origins</c>.</summary>
internal static class AllowedOrigin
{
    private const string Wildcard = "*.";

    /// <summary>What is wrong with it and what would be right; null if it is sound.</summary>
    public static string? Error(string origin)
    {
        if (origin.Trim('*').Length == 0)
        {
            return "would let every page on the web read answers; list the origins, or use https://*.example.com.";
        }

        var separator = origin.IndexOf("://", StringComparison.Ordinal);
        var authority = separator < 0 ? string.Empty : origin[(separator + 3)..];
        var isWildcard = authority.StartsWith(Wildcard, StringComparison.Ordinal);
        var host = isWildcard ? authority[Wildcard.Length..] : authority;
        if (!Uri.TryCreate(separator < 0 ? origin : origin[..(separator + 3)] + host, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("https" or "http")
            || uri.UserInfo.Length > 0
            || host.Contains('*', StringComparison.Ordinal)
            || !origin.EndsWith(host.TrimEnd('/'), StringComparison.Ordinal)
            || host.AsSpan().ContainsAny("/?#\\"))
        {
            return "is not an origin; write https://host, https://host:port or https://*.example.com, with nothing after it.";
        }

        if (isWildcard && (uri.Scheme != "https" || uri.HostNameType != UriHostNameType.Dns || !uri.Host.Contains('.', StringComparison.Ordinal)))
        {
            return "is too wide; a wildcard stands before a domain of at least two names, with https: https://*.example.com.";
        }

        return null;
    }
}
