using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A Redis as a careful operator runs it: TLS of a private authority on both sides, and the ACL user of the docs for the gateway.</summary>
internal sealed partial class RedisSecureProcess : RedisServer
{
    public const string User = "gateway";

    /// <summary>What no connection string can carry.</summary>
    public const string Password = "p,ass=w ord, \"1\"";

    private const string AdminPassword = "of-the-operator";

    private readonly int _port;
    private readonly string[] _more;
    private ChildProcess _process;

    private RedisSecureProcess(DirectoryInfo folder, int port, string[] more, ChildProcess process) => (Folder, _port, _more, _process) = (folder, port, more, process);

    /// <summary>With <c>ca.pem</c>, <c>other-ca.pem</c>, <c>client.pem</c> and <c>client.key</c>.</summary>
    public DirectoryInfo Folder { get; }

    public override string AclUser => User;

    public override string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port},ssl=true");

    public override (string Key, string Value)[] GatewaySettings =>
    [
        .. base.GatewaySettings, ("Redis:User", User), ("Redis:Password", Password), ("Redis:CertificateAuthorityFile", In("ca.pem")),
        ("Redis:ClientCertificateFile", In("client.pem")), ("Redis:ClientKeyFile", In("client.key")),
    ];

    protected override ConfigurationOptions Operator
    {
        get
        {
            var options = base.Operator;
            options.Password = AdminPassword;
            options.SslClientAuthenticationOptions = host => new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(In("client.pem"), In("client.key")), null),
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(In("ca.pem")) },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            };
            return options;
        }
    }

    public static new Task<RedisSecureProcess> StartAsync() => StartAsync([]);

    /// <param name="more">Rights beside those of the docs.</param>
    public static async Task<RedisSecureProcess> StartAsync(params string[] more)
    {
        var folder = Directory.CreateTempSubdirectory("redis-tls-");
        await IssueAllAsync(folder);
        var port = FreePort();
        var server = new RedisSecureProcess(folder, port, more, await LaunchAsync(folder, port));
        try
        {
            await server.AllowAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public override Task KillAsync() => _process.KillAsync();

    public override async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = await LaunchAsync(Folder, _port);
        await AllowAsync();
    }

    public override void Signal(int signal) => _process.Signal(signal);

    /// <summary>Changes the gateway's user, as <c>ACL SETUSER</c> does.</summary>
    public Task AllowAsync(params IEnumerable<string> rules) =>
        AskAsync((database, _) => database.ExecuteAsync("ACL", ["SETUSER", User, .. rules]));

    /// <summary>New certificates of a new authority, for both sides.</summary>
    public async Task ReplaceAuthorityAsync()
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(Operator);
        await IssueAllAsync(Folder);

        // It reads the files again where one of these is set.
        await connection.GetDatabase().ExecuteAsync("CONFIG", "SET", "tls-cert-file", "server.pem", "tls-key-file", "server.key", "tls-ca-cert-file", "ca.pem");
    }

    public string In(string file) => Path.Combine(Folder.FullName, file);

    public override async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Folder.FullName))
        {
            _process.Signal(18);
            await _process.DisposeAsync();
            Folder.Delete(recursive: true);
        }
    }

    private static async Task<ChildProcess> LaunchAsync(DirectoryInfo folder, int port)
    {
        var process = ChildProcess.Start(
            Program,
            [
                "--port", "0", "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", string.Empty, "--appendonly", "no",
                "--dir", folder.FullName, "--tls-cert-file", "server.pem", "--tls-key-file", "server.key", "--tls-ca-cert-file", "ca.pem", "--requirepass", AdminPassword,
            ],
            [],
            folder.FullName);
        await process.LineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        return process;
    }

    private async Task AllowAsync() =>
        await AllowAsync([.. Rule(await File.ReadAllTextAsync(Path.Combine(Programs.Root, "docs", "caching.md"), TestContext.Current.CancellationToken)), ">" + Password, .. _more]);

    /// <summary>The rule of the docs, without the password.</summary>
    private static string[] Rule(string docs) =>
        [.. RuleBlock().Match(docs).Groups["rule"].Value.Split((char[])[' ', '\n', '\\'], StringSplitOptions.RemoveEmptyEntries).Where(rule => !rule.StartsWith('>'))];

    private static async Task IssueAllAsync(DirectoryInfo folder)
    {
        using var authority = Authority();
        using var other = Authority();
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "ca.pem"), authority.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "other-ca.pem"), other.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await IssueAsync(authority, folder, "server", "127.0.0.1");
        await IssueAsync(authority, folder, "client", "gateway");
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a private authority " + Guid.NewGuid(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(2));
    }

    private static async Task IssueAsync(X509Certificate2 authority, DirectoryInfo folder, string file, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, new DateTimeOffset(authority.NotBefore), new DateTimeOffset(authority.NotAfter), Guid.NewGuid().ToByteArray());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, file + ".pem"), certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, file + ".key"), key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
    }

    [GeneratedRegex(@"^ACL SETUSER gateway (?<rule>[^`]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RuleBlock();
}
