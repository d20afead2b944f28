using System.ComponentModel.DataAnnotations;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.Configuration;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>Section <c>Redis</c>: what the replicas share. Optional equipment: without it each replica keeps to its own memory.</summary>
internal sealed class RedisOptions
{
    public const string Section = "Redis";

    /// <summary>StackExchange.Redis connection string (<c>host:6379,password=…,ssl=true</c>). Empty (default): memory only. A secret.</summary>
    [Secret("password=")]
    [Verbatim]
    public string ConnectionString { get; set; } = string.Empty;

    /// <summary>ACL user. Empty (default): the connection string's, else Redis's default user.</summary>
    [Verbatim]
    public string User { get; set; } = string.Empty;

    /// <summary>Its password, whatever characters it has, but no blank at an end and no quotes around it. Empty (default): the connection string's. A secret.</summary>
    [Secret]
    [Verbatim]
    public string Password { get; set; } = string.Empty;

    /// <summary>PEM file of the only authorities that Redis's certificate may come from. Empty (default): those that the system trusts.</summary>
    public string CertificateAuthorityFile { get; set; } = string.Empty;

    /// <summary>PEM file of the certificate to show to Redis, with its intermediates behind it. Empty (default): none.</summary>
    public string ClientCertificateFile { get; set; } = string.Empty;

    /// <summary>PEM file of that certificate's private key, not encrypted. Empty (default): none.</summary>
    public string ClientKeyFile { get; set; } = string.Empty;

    /// <summary>First part of every key and channel, so that one Redis can serve several gateways. Default <c>gateway</c>.</summary>
    [Required]
    [RegularExpression("[A-Za-z0-9._:-]{1,64}", ErrorMessage = "must be 1 to 64 letters, digits or . _ - : characters.")]
    public string KeyPrefix { get; set; } = "gateway";

    /// <summary>What one command may cost before Redis counts as absent for a while. Default 250 ms, range 10 ms to 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:05")]
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>What the client connects with.</summary>
    /// <exception cref="ArgumentException"><see cref="ConnectionString"/> is none; also <see cref="FormatException"/> and <see cref="OverflowException"/>.</exception>
    public ConfigurationOptions ToConfiguration()
    {
        var configuration = ConfigurationOptions.Parse(ConnectionString);
        configuration.User = User.Length > 0 ? User : configuration.User;
        configuration.Password = Password.Length > 0 ? Password : configuration.Password;
        if (CertificateAuthorityFile.Length + ClientCertificateFile.Length > 0)
        {
            configuration.SslClientAuthenticationOptions = host => ToTls(host, configuration);
        }

        return configuration;
    }

    /// <summary>For one handshake, so that files that were replaced are used from the next connection on. The certificate is always validated.</summary>
    /// <exception cref="IOException">A file cannot be read; also <see cref="UnauthorizedAccessException"/>.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file holds no certificate or no key in PEM, or key and certificate are no pair.</exception>
    public SslClientAuthenticationOptions ToTls(string host, ConfigurationOptions configuration)
    {
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = configuration.SslProtocols ?? SslProtocols.None,
            CertificateRevocationCheckMode = configuration.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck,
        };
        if (CertificateAuthorityFile.Length > 0)
        {
            // A private authority publishes no revocations.
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(CertificateAuthorityFile);
        }

        if (ClientCertificateFile.Length > 0)
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(ClientCertificateFile);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(ClientCertificateFile, ClientKeyFile), [.. chain.Skip(1)], offline: true);
        }

        return tls;
    }
}
