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
