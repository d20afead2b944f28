using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Where connections come in: how many, by which protocol, under which certificate; and the settings file while it is edited.</summary>
public sealed class EdgeTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Was: with Redis, 300 idle connections where a process may have 400 descriptors ended it without a word.</summary>
    [Fact]
    public async Task More_connections_than_descriptors_end_no_process_and_take_nothing_from_who_is_there()
    {
        await using var gateway = await GatewayProcess.StartInAsync(
            GatewayProcess.Environment(stack.Simulator, [.. stack.Redis.GatewaySettings, ("Redis:KeyPrefix", "few"), ("Redis:OperationTimeout", "00:00:01")]), descriptors: 400);
        await gateway.RedisIsUpAsync();
        var idle = new List<TcpClient>();
        try
        {
            for (var n = 0; n < 500; n++)
            {
                var client = new TcpClient();
                idle.Add(client);
                try
                {
                    await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, TestContext.Current.CancellationToken);
                }
                catch (SocketException)
                {
                    // One too many.
                }
            }

            await gateway.LogLineAsync("MaxConcurrentConnections): more are closed");

            // On the connection that was there before: an answer for which the upstreams, and Redis, have to be asked.
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/health/live")).Status);
            await gateway.CompleteAsync(Catalog);
            Assert.Equal("up", (string?)(await gateway.GetAsync("/health/ready")).Json["redis"]);
        }
        finally
        {
            idle.ForEach(client => client.Dispose());
        }

        await GatewayProcess.EventuallyAsync(async () => await StatusAsync(gateway.Address, "/health/live") == 200, TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task How_many_connections_is_configured_where_the_default_does_not_do()
    {
        await using var gateway = await stack.StartGatewayAsync(("Kestrel:Limits:MaxConcurrentConnections", "3"));
        await gateway.GetAsync("/health/live");
        var idle = Enumerable.Range(0, 3).Select(_ => new TcpClient(gateway.Address.Host, gateway.Address.Port)).ToList();

        await gateway.LogLineAsync("MaxConcurrentConnections): more are closed");
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/health/live")).Status);
        idle.ForEach(client => client.Dispose());
    }

    [Theory]
    [InlineData("many")]
    [InlineData("0")]
    public async Task A_limit_that_is_none_does_not_start(string limit)
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(stack.Simulator, ("Kestrel:Limits:MaxConcurrentConnections", limit)));

        Assert.Equal(1, exitCode);
        Assert.Contains("  Kestrel:Limits:", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_balancer_may_speak_HTTP_2_in_clear_on_a_port_of_its_own()
    {
        var (plain, h2c, management) = (FreePort, FreePort, FreePort);
        var environment = GatewayProcess.Environment(
            stack.Simulator,
            ("Kestrel:Endpoints:Balancer:Url", $"http://127.0.0.1:{h2c}"), ("Kestrel:Endpoints:Balancer:Protocols", "Http2"), ("Kestrel:Endpoints:Web:Url", $"http://127.0.0.1:{plain}"),
            ("Kestrel:EndpointDefaults:Protocols", "Http2"), ("Kestrel:Endpoints:Web:Protocols", "Http1"),
            ("Hosting:ManagementPort", management), ("Hosting:WarmUpTimeout", "00:00:20"), ("Catalog:Products", "builtfor_example"), ("Catalog:SkuMap:builtfor_example-setup-EUR-once", string.Empty));
        await using var gateway = ChildProcess.Start("dotnet", [Programs.Gateway], environment);
        await gateway.LineAsync(line => line.Contains("Warmed up", StringComparison.Ordinal));
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        // With prior knowledge, many at once on one connection; what is forwarded too.
        foreach (var path in Enumerable.Repeat(Catalog, 20).Append("/billing/v1/products/builtfor_example/components"))
        {
            using var answer = await client.GetAsync($"http://127.0.0.1:{h2c}{path}", TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
        }

        Assert.Equal(400, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{h2c}"), Catalog));
        Assert.Equal(200, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{plain}"), Catalog));

        // Probes speak HTTP/1.1.
        Assert.Equal(200, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{management}"), "/health/ready"));
        await using var probe = ChildProcess.Start("dotnet", [Programs.Gateway, "--check-health"], environment);
        Assert.Equal(0, await probe.ExitCodeAsync());
    }

    /// <summary>As docs/security.md shows it; renewed in place, and as the kubelet does it, by a link to another folder.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_renewed_certificate_is_taken_up(bool isMounted)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-tls-").FullName;
        try
        {
            using var first = Certificate("first");
            using var second = Certificate("second");
            await WriteAsync(folder, first, isMounted, "..first");
            var port = FreePort;
            await using var gateway = await GatewayProcess.StartAsync(
                stack.Simulator,
                ("Kestrel:Endpoints:Http:Url", "http://127.0.0.1:0"), ("Kestrel:Endpoints:Https:Url", $"https://127.0.0.1:{port}"),
                ("Kestrel:Endpoints:Https:Certificate:Path", Path.Combine(folder, "tls.crt")), ("Kestrel:Endpoints:Https:Certificate:KeyPath", Path.Combine(folder, "tls.key")),
                ("Kestrel:Endpoints:Https:SslProtocols:0", "Tls12"), ("Kestrel:Endpoints:Https:SslProtocols:1", "Tls13"));
            await gateway.LogLineAsync($"https://127.0.0.1:{port}");
            Assert.Equal(first.Thumbprint, await ShownAsync(port, first, second));

            await WriteAsync(folder, second, isMounted, "..second");

            await GatewayProcess.EventuallyAsync(async () => await ShownAsync(port, first, second) == second.Thumbprint, TimeSpan.FromSeconds(30));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_settings_file_that_is_broken_at_run_time_is_one_line_and_changes_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-copy-").FullName;
        try
        {
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Programs.Gateway)!))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            var settings = Path.Combine(folder, "appsettings.json");
            var sound = await File.ReadAllTextAsync(settings, TestContext.Current.CancellationToken);
            await using var gateway = await GatewayProcess.StartFromAsync(Path.Combine(folder, "Gateway.dll"), stack.Simulator);

            await ReplaceAsync("{\n  \"Security\": {\n    \"s3cret\n");
            Assert.Contains("\"@l\":\"Error\"", await gateway.LogLineAsync("appsettings.json cannot be read (line 3)"), StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/billing/v1/products/builtfor_example/components")).Status);

            // Another change, so that everything is read again.
            await ReplaceAsync(sound.Replace("\"ReverseProxy\": {", "\"Paymentwall\": { \"MaxConcurrency\": 63 }, \"ReverseProxy\": {", StringComparison.Ordinal));
            await gateway.LogLineAsync("was reloaded");
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/billing/v1/products/builtfor_example/components")).Status);
            Assert.Single(gateway.Log.Split('\n'), line => line.Contains("cannot be read", StringComparison.Ordinal));
            Assert.DoesNotContain("s3cret", gateway.Log, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", gateway.Log, StringComparison.Ordinal);

            async Task ReplaceAsync(string text)
            {
                await File.WriteAllTextAsync(settings + ".new", text, TestContext.Current.CancellationToken);
                File.Move(settings + ".new", settings, overwrite: true);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string FreePort
    {
        get
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    /// <summary>0 where there is no answer.</summary>
    private static async Task<int> StatusAsync(Uri address, string path)
    {
        try
        {
            return await RawRequest.StatusAsync(address, path);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    }

    /// <summary>The thumbprint of what a handshake shows; null at the moment in which the port is bound anew.</summary>
    private static async Task<string?> ShownAsync(string port, params X509Certificate2[] trusted)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, int.Parse(port, System.Globalization.CultureInfo.InvariantCulture), TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            return null;
        }

        await using var tls = new SslStream(client.GetStream());
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trusted);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy }, TestContext.Current.CancellationToken);
        return tls.RemoteCertificate!.GetCertHashString();
    }

    private static async Task WriteAsync(string folder, X509Certificate2 certificate, bool isMounted, string version)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        (string Name, string Text)[] files = [("tls.key", key.ExportPkcs8PrivateKeyPem()), ("tls.crt", certificate.ExportCertificatePem())];
        var into = isMounted ? Directory.CreateDirectory(Path.Combine(folder, version)).FullName : folder;
        foreach (var (name, text) in files)
        {
            // Never half of it: renamed over the one before.
            await File.WriteAllTextAsync(Path.Combine(into, name + ".new"), text, TestContext.Current.CancellationToken);
            File.Move(Path.Combine(into, name + ".new"), Path.Combine(into, name), overwrite: true);
        }

        if (!isMounted)
        {
            return;
        }

        if (!File.Exists(Path.Combine(folder, "tls.crt")))
        {
            files.ToList().ForEach(file => File.CreateSymbolicLink(Path.Combine(folder, file.Name), Path.Combine("..data", file.Name)));
        }

        await using var link = ChildProcess.Start("sh", ["-c", $"ln -s {version} ..next && mv -T ..next ..data"], [], folder);
        Assert.Equal(0, await link.ExitCodeAsync());
    }
}
