namespace Gateway.Proxy;

/// <summary>The methods that are forwarded. <c>TRACE</c> sends the request back, our token with it; <c>CONNECT</c> is a tunnel.</summary>
internal static class ForwardedMethods
{
    /// <summary>As the header <c>Allow</c> lists them.</summary>
    public const string Allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

    private static readonly string[] All = Allow.Split(", ");

    /// <summary>Methods are case-sensitive (RFC 9110 §9.1).</summary>
    public static bool Contains(string method) => All.Contains(method, StringComparer.Ordinal);

    /// <summary>RFC 9110 §9.2.2: may be sent again when nobody knows whether it was done.</summary>
    public static bool IsIdempotent(this HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Put || method == HttpMethod.Delete;
}
