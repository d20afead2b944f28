using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Simulator;

/// <summary>
/// A certificate authority for one process: its private key, and those of what it issues, never touch the disk. A client
/// trusts it by <see cref="ExportPem"/> (<c>SSL_CERT_FILE</c>, <c>curl --cacert</c>). Safe for concurrent use.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    // Backdated: a clock that is a little behind, or a container's, must not find it "not yet valid".
    private static readonly TimeSpan Backdating = TimeSpan.FromDays(1);
    private static readonly TimeSpan Life = TimeSpan.FromDays(365);

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>A new authority with a P-256 key, valid from yesterday for a year.</summary>
    /// <param name="hasExpired">Of two years ago instead, so that nothing that it issues is valid any more.</param>
    public static CertificateAuthority Create(bool hasExpired = false)
    {
        var now = TimeProvider.System.GetUtcNow() - (hasExpired ? 2 * Life : TimeSpan.Zero);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        // The name is new each time, so that a trust store never mixes up the certificates of two starts.
        var name = $"CN=Gateway simulator CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new CertificateAuthority(request.CreateSelfSigned(now - Backdating, now + Life));
    }

    /// <summary>A server certificate with its private key, valid as long as the authority.</summary>
    /// <param name="hosts">DNS names and IP addresses, at least one.</param>
    /// <exception cref="ArgumentException">No host is given.</exception>
    public X509Certificate2 IssueServerCertificate(params string[] hosts)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        if (hosts.Length == 0)
        {
            throw new ArgumentException("A server certificate needs at least one host.", nameof(hosts));
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(new X500DistinguishedName($"CN=\"{hosts[0]}\""), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(
            certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1", "Server Authentication")], critical: false));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            _certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));

        using var issued = request.Create(
            _certificate, new DateTimeOffset(_certificate.NotBefore), new DateTimeOffset(_certificate.NotAfter),
            RandomNumberGenerator.GetBytes(16));
        return issued.CopyWithPrivateKey(key);
    }

    /// <summary>The same for servers of other languages: the certificate and its PKCS#8 private key as PEM text.</summary>
    /// <param name="hosts">DNS names and IP addresses, at least one.</param>
    /// <exception cref="ArgumentException">No host is given.</exception>
    public (string Certificate, string PrivateKey) IssueServerCertificatePem(params string[] hosts)
    {
        using var issued = IssueServerCertificate(hosts);
        using var key = issued.GetECDsaPrivateKey()!;
        return (issued.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The authority's certificate as PEM text, without the key.</summary>
    public string ExportPem() => _certificate.ExportCertificatePem();

    /// <inheritdoc />
    public void Dispose() => _certificate.Dispose();
}
