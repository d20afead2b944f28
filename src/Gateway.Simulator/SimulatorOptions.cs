using System.Globalization;
using System.Net;

namespace Gateway.Simulator;

/// <summary>
/// Section <c>Simulator</c>: command line <c>--Simulator:BillingPort=0</c>, environment <c>Simulator__BillingPort=0</c>.
/// Ports are 0 to 65535; 0 takes any free one, which the READY line then names.
/// </summary>
internal sealed class SimulatorOptions
{
    public const string Section = "Simulator";

    /// <summary>
    /// IP address to listen on. Default <c>127.0.0.1</c>: it is for demos and tests, and its credentials are known to everybody.
    /// <c>0.0.0.0</c> in a container.
    /// </summary>
    public string ListenAddress { get; set; } = "127.0.0.1";

    /// <summary>
    /// The name that others reach it by: in the issuer, in the certificate (beside <c>localhost</c>) and in the READY line.
    /// Default <c>localhost</c>.
    /// </summary>
    public string Host { get; set; } = "localhost";

    /// <summary>Port of the control API and the storefront page (HTTP). Default 8081.</summary>
    public int ControlPort { get; set; } = 8081;

    /// <summary>Port of the authorization server (HTTPS). Default 8082.</summary>
    public int AuthorizationPort { get; set; } = 8082;

    /// <summary>Port of Billing. Default 8083.</summary>
    public int BillingPort { get; set; } = 8083;

    /// <summary>Port of Paymentwall. Default 8084.</summary>
    public int PaymentwallPort { get; set; } = 8084;

    /// <summary>
    /// Origin of the gateway that the storefront page asks, http or https; the only one that its Content-Security-Policy lets it
    /// ask. Default <c>http://localhost:8080</c>.
    /// </summary>
    public string GatewayAddress { get; set; } = "http://localhost:8080";

    /// <summary>The one OAuth client. Default <c>demo:client/1</c>: shows whether a caller encodes before Basic.</summary>
    public string ClientId { get; set; } = "demo:client/1";

    /// <summary>The client's secret. Default <c>demo secret+&amp;/:1</c>.</summary>
    public string ClientSecret { get; set; } = "demo secret+&/:1";

    /// <summary>
    /// Audiences that may be asked for, space separated; the first is Billing's, and a token without it is refused there.
    /// Default <c>distribution.prestashop.net</c>.
    /// </summary>
    public string Audience { get; set; } = "distribution.prestashop.net";

    /// <summary>
    /// Scopes that may be asked for, space separated. Default <c>openid subscription.write subscription.write.quantity</c>.
    /// </summary>
    public string Scopes { get; set; } = "openid subscription.write subscription.write.quantity";

    /// <summary>Whether the authorization server has a discovery document; only the token endpoint is documented. Default true.</summary>
    public bool Discovery { get; set; } = true;

    /// <summary>Whether the certificates of authority and servers have expired, a year ago. Default false.</summary>
    public bool CertificatesExpired { get; set; }

    /// <summary>Whether Billing and Paymentwall speak HTTPS too, as the real ones do. Default false: HTTP, which is easier to look at.</summary>
    public bool Https { get; set; }

    /// <summary>Life of an access token, whole seconds, at least 1. Default 01:00:00; the control API changes it.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Paymentwall's project key (<c>key</c>). Default <c>demo-project-key</c>.</summary>
    public string ProjectKey { get; set; } = "demo-project-key";

    /// <summary>Paymentwall's secret key, the tail of what is signed. Default <c>demo-project-secret</c>.</summary>
    public string ProjectSecret { get; set; } = "demo-project-secret";

    /// <summary>
    /// Where the certificate of the simulator's own authority is written at start (PEM), for <c>SSL_CERT_FILE</c> or
    /// <c>curl --cacert</c>. Default <c>artifacts/dev/simulator-ca.pem</c>, below the current directory.
    /// </summary>
    public string CertificateFile { get; set; } = "artifacts/dev/simulator-ca.pem";

    /// <summary>
    /// Issuer of a foreign OpenID provider whose RS256 tokens Billing accepts as well; needs <see cref="ExternalJwksFile"/>.
    /// Default none.
    /// </summary>
    public string? ExternalIssuer { get; set; }

    /// <summary>File with that provider's JSON Web Key Set, read again when it changes; it may come late. Default none.</summary>
    public string? ExternalJwksFile { get; set; }

    internal IPAddress Address => IPAddress.Parse(ListenAddress);

    public static string[] Words(string spaceSeparated) => spaceSeparated.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Every contradiction, each with its key and the fix.</summary>
    public IEnumerable<string> Errors()
    {
        if (!IPAddress.TryParse(ListenAddress, out _))
        {
            yield return $"{Section}:{nameof(ListenAddress)} is {ListenAddress}; it must be an IP address, such as 127.0.0.1 or 0.0.0.0.";
        }

        if (Uri.CheckHostName(Host) == UriHostNameType.Unknown)
        {
            yield return $"{Section}:{nameof(Host)} is not the name of a host.";
        }

        (string Key, int Port)[] ports =
        [
            (nameof(ControlPort), ControlPort), (nameof(AuthorizationPort), AuthorizationPort),
            (nameof(BillingPort), BillingPort), (nameof(PaymentwallPort), PaymentwallPort),
        ];
        foreach (var (key, port) in ports.Where(p => p.Port is < 0 or > 65535))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture, $"{Section}:{key} is {port}; it must be 0 (any free port) to 65535.");
        }

        foreach (var same in ports.Where(p => p.Port != 0).GroupBy(p => p.Port).Where(g => g.Skip(1).Any()))
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Port {same.Key} is given to {string.Join(" and ", same.Select(p => p.Key))}; each listener needs its own.");
        }

        (string Key, string Value)[] required =
        [
            (nameof(ClientId), ClientId), (nameof(ClientSecret), ClientSecret), (nameof(Audience), Audience),
            (nameof(Scopes), Scopes), (nameof(ProjectKey), ProjectKey), (nameof(ProjectSecret), ProjectSecret),
            (nameof(CertificateFile), CertificateFile),
        ];
        foreach (var (key, _) in required.Where(r => string.IsNullOrWhiteSpace(r.Value)))
        {
            yield return $"{Section}:{key} is empty; leave it out for the default, or give a value.";
        }

        if (!IsOrigin(GatewayAddress))
        {
            yield return $"{Section}:{nameof(GatewayAddress)} is '{GatewayAddress}'; it must be an origin, such as http://localhost:8080.";
        }

        if (TokenLifetime < TimeSpan.FromSeconds(1) || TokenLifetime.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            yield return $"{Section}:{nameof(TokenLifetime)} is {TokenLifetime:c}; it must be whole seconds, at least one.";
        }

        if (string.IsNullOrEmpty(ExternalIssuer) != string.IsNullOrEmpty(ExternalJwksFile))
        {
            yield return $"{Section}:{nameof(ExternalIssuer)} and {nameof(ExternalJwksFile)} belong together; give both or none.";
        }
    }

    /// <summary>It becomes a part of a header, so nothing but scheme, host and port may be in it.</summary>
    private static bool IsOrigin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && $"{uri.Scheme}://{uri.Authority}" == address.TrimEnd('/');
}
