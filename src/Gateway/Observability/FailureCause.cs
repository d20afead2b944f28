using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace Gateway.Observability;

/// <summary>What kept a connection from being made, told apart as far as the fixes differ; never a server's or a library's text.</summary>
internal static class FailureCause
{
    public const string NameNotResolved = "nameNotResolved";
    public const string ConnectionRefused = "connectionRefused";
    public const string CertificateNotTrusted = "certificateNotTrusted";
    public const string CertificateStoreUnusable = "certificateStoreUnusable";
    public const string NotTls = "notTls";
    public const string ProxyAuthenticationRequired = "proxyAuthenticationRequired";

    /// <summary>.NET does not tell.</summary>
    public const string Unknown = "unknown";

    /// <summary>The egress proxy's own name, or nobody listens there.</summary>
    public const string ProxyNameNotResolved = "proxyNameNotResolved";
    public const string ProxyConnectionRefused = "proxyConnectionRefused";
    public const string ProxyUnreachable = "proxyUnreachable";

    /// <summary>The proxy does not let the gateway reach that host (its 403, 405 and the like), or does not reach it itself (its 502, 503, 504).</summary>
    public const string ProxyRefused = "proxyRefused";
    public const string UnreachableBehindProxy = "unreachableBehindProxy";

    /// <summary>Of the first exception of the network at the bottom of it; null if there is none.</summary>
    public static string? Of(Exception? exception)
    {
        while (exception is not (null or HttpRequestException))
        {
            exception = exception.InnerException;
        }

        return exception is HttpRequestException failed ? Of(failed) : null;
    }

    private static string Of(HttpRequestException failed) => failed switch
    {
        { StatusCode: HttpStatusCode.ProxyAuthenticationRequired } => ProxyAuthenticationRequired,
        { HttpRequestError: HttpRequestError.ProxyTunnelError, StatusCode: >= HttpStatusCode.InternalServerError } => UnreachableBehindProxy,
        { HttpRequestError: HttpRequestError.ProxyTunnelError } => ProxyRefused,
        EgressProxyException { HttpRequestError: HttpRequestError.NameResolutionError } => ProxyNameNotResolved,
        EgressProxyException { InnerException.InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => ProxyConnectionRefused,
        EgressProxyException => ProxyUnreachable,
        { HttpRequestError: HttpRequestError.NameResolutionError } => NameNotResolved,
        { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionRefused } } => ConnectionRefused,
        { HttpRequestError: HttpRequestError.SecureConnectionError } => OfTls(failed.InnerException),
        _ => char.ToLowerInvariant(failed.HttpRequestError.ToString()[0]) + failed.HttpRequestError.ToString()[1..],
    };

    private static string OfTls(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is CryptographicException or UnauthorizedAccessException)
            {
                return CertificateStoreUnusable;
            }

            // The one that says so has no other mark.
            if (exception is AuthenticationException && exception.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase))
            {
                return CertificateNotTrusted;
            }
        }

        return NotTls;
    }
}

/// <summary>What kept a request from getting through the egress proxy. Says nothing of it: an address may hold a password.</summary>
internal sealed class EgressProxyException(HttpRequestException failed)
    : HttpRequestException(failed.HttpRequestError, "The egress proxy gave no connection.", failed, failed.StatusCode);
