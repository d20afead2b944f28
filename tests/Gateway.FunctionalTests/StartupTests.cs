using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A configuration that cannot work is refused before anything listens, with every error at once.</summary>
public sealed class StartupTests
{
    [Fact]
    public async Task Check_config_of_an_empty_configuration_names_everything_that_is_required()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync([new("ASPNETCORE_ENVIRONMENT", "Production")]);

        Assert.Equal(1, exitCode);
        foreach (var key in new[] { "AccessTokens:ClientId", "AccessTokens:ClientSecret", "Paymentwall:ProjectKey", "Paymentwall:SecretKey", "Catalog:DefaultCountry" })
        {
            Assert.Contains(key + ":", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Check_config_says_every_error_at_once_and_repeats_no_value_of_a_secret()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(
            simulator: null,
            ("Billing:BaseAddress", "http://billing.internal/"),
            ("Billing:Timeout", "soon"),
            ("Paymentwall:Timeout", "00:00:10"),
            ("Paymentwall:AttemptTimeout", "00:00:20"),
            ("Paymentwall:SignatureVersion", "1"),
            ("Paymentwall:MaxConcurrency", "0"),
            ("AccessTokens:Authority", "http://oauth.internal/"),
            ("AccessTokens:EncryptionKey", "s3cret-s3cret"),
            ("Redis:ConnectionString", "redis:6379,password=s3cret,nonsense=1"),
            ("Redis:OperationTimeout", "1"),
            ("Catalog:DefaultCountry", "XX"),
            ("Catalog:Products", "a,b/c"),
            ("Catalog:Languages:0", "english"),
            ("Catalog:SkuTemplate", "{sku}"),
            ("Catalog:ListPriceCurrencyPattern", "("),
            ("Catalog:Deadline", "5")));

        Assert.Equal(1, exitCode);
        string[] keys =
        [
            "Billing:BaseAddress", "Billing:Timeout", "Paymentwall:AttemptTimeout", "Paymentwall:SignatureVersion", "Paymentwall:MaxConcurrency",
            "AccessTokens:Authority", "AccessTokens:EncryptionKey", "Redis:ConnectionString", "Redis:OperationTimeout", "Catalog:DefaultCountry",
            "Catalog:Products", "Catalog:Languages", "Catalog:SkuTemplate", "Catalog:ListPriceCurrencyPattern", "Catalog:Deadline",
        ];
        foreach (var key in keys)
        {
            Assert.Contains("  " + key, output, StringComparison.Ordinal);
        }

        Assert.Contains("The configuration has 15 errors", output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_config_explains_every_mistake_at_the_front_door()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(
            simulator: null,
            ("Security:ApiKeys:1:Sha256", "the-key-itself"),
            ("Security:ApiKeys:1:ExpiresAt", "tomorrow"),
            ("Security:ApiKeys:2:Sha256", "1111111111111111111111111111111111111111111111111111111111111111"),
            ("Security:ApiKeys:2:Roles", "root"),
            ("Security:RequireKeyForCatalog", "perhaps"),
            ("Security:Cors:Origins", "*, https://shop.example.com/path, https://*.com, ftp://x"),
            ("Security:Cors:Origin", "https://shop.example.com"),
            ("Security:RateLimits:Catalog:PermitsPerSecond", "0"),
            ("Security:RateLimits:Proxy:Burst", "-1"),
            ("Security:RateLimits:Everything:Burst", "1"),
            ("Security:MaxConcurrentRequests", "0"),
            ("Security:KnownProxies", "10.0.0.0/33, load-balancer, 0.0.0.0/0"),
            ("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true")));

        Assert.Equal(1, exitCode);
        string[] errors =
        [
            "Security:ApiKeys:1:Sha256: must be the SHA-256", "Security:ApiKeys:1:ExpiresAt: the value is not", "Security:ApiKeys:2:Name: is required",
            "Security:ApiKeys:2:Roles: must name", "Security:RequireKeyForCatalog: the value is not true or false", "Security:Cors:Origins: '*' would let every page",
            "Security:Cors:Origins: 'https://shop.example.com/path' is not an origin", "Security:Cors:Origins: 'https://*.com' is too wide",
            "Security:Cors:Origins: 'ftp://x' is not an origin", "Security:Cors:Origin: there is no such key", "Security:RateLimits:Catalog:PermitsPerSecond: ",
            "Security:RateLimits:Catalog:Burst: ", "Security:RateLimits:Proxy:PermitsPerSecond: ", "Security:RateLimits:Proxy:Burst: ",
            "Security:RateLimits:Everything: there is no such key", "Security:MaxConcurrentRequests: 0 is outside", "Security:KnownProxies: '10.0.0.0/33' is neither",
            "Security:KnownProxies: 'load-balancer' is neither", "Security:KnownProxies: '0.0.0.0/0' believes everybody", "ASPNETCORE_FORWARDEDHEADERS_ENABLED: believes",
        ];
        Assert.All(errors, error => Assert.Contains("  " + error, output, StringComparison.Ordinal));
        Assert.Contains($"The configuration has {errors.Length} errors", output, StringComparison.Ordinal);
        Assert.DoesNotContain("the-key-itself", output, StringComparison.Ordinal);
    }

    /// <summary>What people get wrong: each one line that names the key and the fix, and nothing of an exception's.</summary>
    [Theory]
    [InlineData("Securty:RequireKeyForCatalog", "true", "Securty: there is no such section; did you mean Security?")]
    [InlineData("Catalogue:Products", "a", "Catalogue: there is no such section; did you mean Catalog?")]
    [InlineData("Catalog:Prodcts", "a", "Catalog:Prodcts: there is no such key; did you mean Catalog:Products?")]
    [InlineData("Catalog:Overlay:x:Nmae", "a", "Catalog:Overlay:x:Nmae: there is no such key; did you mean Catalog:Overlay:x:Name?")]
    [InlineData("Security:Cors:Orgins", "https://a.example", "Security:Cors:Orgins: there is no such key; did you mean Security:Cors:Origins?")]
    [InlineData("Redis:Database", "1", "Redis:Database: there is no such key.")]
    [InlineData("Serilog:MinimumLevel:Default", "Verbos", "Serilog:MinimumLevel:Default: 'Verbos' is no level; write one of Verbose, Debug, ")]
    [InlineData("Serilog:MinimumLevel:Override:Yarp", "Warn", "Serilog:MinimumLevel:Override:Yarp: 'Warn' is no level")]
    [InlineData("Redis:ConnectionString", "redis://cache:6379", "Redis:ConnectionString: is a URL; write host:port")]
    [InlineData("ASPNETCORE_URLS", "localhost:9", "ASPNETCORE_URLS: 'localhost:9' is no address to listen on; write it as http://localhost:8080")]
    [InlineData("ASPNETCORE_URLS", "http://localhost:http", "ASPNETCORE_URLS: 'http://localhost:http' is no address to listen on")]
    [InlineData("Kestrel:Endpoints:A:Url", "ftp://localhost:9", "Kestrel:Endpoints:A:Url: 'ftp://localhost:9' is no address to listen on")]
    [InlineData("SSL_CERT_FILE", "/nowhere/ca.pem", "SSL_CERT_FILE: there is no file /nowhere/ca.pem; ")]
    [InlineData("SSL_CERT_DIR", "/nowhere", "SSL_CERT_DIR: there is no folder /nowhere; ")]
    [InlineData("Hosting:SecretsFolder", "/nowhere", "Hosting:SecretsFolder: there is no folder /nowhere; ")]
    [InlineData("Security:ApiKeys:1:ExpiresAt", "tomorrow", "Security:ApiKeys:1:ExpiresAt: the value is not a point in time; write it as 2027-01-31T00:00:00Z.")]
    [InlineData("Security:ApiKeys:7:Name", "only", "Security:ApiKeys:7:Sha256: must be the SHA-256 of the key")]
    [InlineData("Catalog:StaleFor", "5", "Catalog:StaleFor: the value is not a duration; write hours:minutes:seconds, such as 00:00:05.")]
    [InlineData("Catalog:UnknownParameters", "suggest", "Catalog:UnknownParameters: the value is not one of warn, reject, ignore.")]
    [InlineData("Swagger:Access", "closed", "Swagger:Access: the value is not one of open, key, off.")]
    [InlineData("Catalog:DefaultCountry", "UK", "Catalog:DefaultCountry: is not an ISO 3166-1 alpha-2 code; did you mean GB?")]
    public async Task A_mistake_is_one_line_that_names_the_key_and_the_fix(string key, string value, string error)
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(simulator: null, (key, value)));

        Assert.Equal(1, exitCode);
        Assert.Contains("\n  " + error, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Catalog:Prodcts", "Catalog:Products")]
    [InlineData("Rediss:KeyPrefix", "Redis")]
    [InlineData("Securty:RequireKeyForCatalog", "Security")]
    public async Task A_start_fails_of_a_key_that_there_is_not(string key, string meant)
    {
        await using var gateway = ChildProcess.Start("dotnet", [Programs.Gateway], GatewayProcess.Environment(simulator: null, (key, "true")));

        Assert.Equal(1, await gateway.ExitCodeAsync());
        Assert.Contains($"did you mean {meant}?", gateway.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--chek-config", "--chek-config: there is no such argument; did you mean --check-config?")]
    [InlineData("--Catalgo:Products=a", "--Catalgo:Products: there is no such argument; did you mean Catalog?")]
    public async Task An_argument_that_nobody_knows_does_not_start_the_gateway(string argument, string error)
    {
        await using var process = ChildProcess.Start("dotnet", [Programs.Gateway, argument], GatewayProcess.Environment(simulator: null));

        Assert.Equal(1, await process.ExitCodeAsync());
        Assert.Contains(error, process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_file_that_cannot_be_read_is_said_and_no_crash()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-secrets-").FullName;
        try
        {
            File.CreateSymbolicLink(Path.Combine(folder, "Paymentwall__SecretKey"), Path.Combine(folder, "nowhere"));
            var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(simulator: null, ("Hosting:SecretsFolder", folder)));

            Assert.Equal(1, exitCode);
            Assert.Contains("Paymentwall__SecretKey cannot be read", output, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled exception", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("\"{0}\"", "stands in quotes")]
    [InlineData("{0}\r", "ends with a line end")]
    [InlineData(" {0}", "begins or ends with a blank")]
    [InlineData("{0}\n{0}", "has a line end")]
    public async Task What_is_pasted_around_a_value_is_an_error_that_names_the_key_and_not_the_value(string form, string expected)
    {
        const string Value = "s3cret-s3cret";
        string[] keys =
        [
            "AccessTokens:ClientId", "AccessTokens:ClientSecret", "AccessTokens:EncryptionKey", "Paymentwall:ProjectKey", "Paymentwall:SecretKey", "Redis:ConnectionString",
            "Redis:User", "Redis:Password", "Proxy:Address", "Proxy:Password", "Billing:BaseAddress", "AccessTokens:TokenEndpoint", "Security:ApiKeys:0:Sha256",
        ];
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(
            simulator: null, [.. keys.Select(key => (key, form.Replace("{0}", Value, StringComparison.Ordinal)))]));

        Assert.Equal(1, exitCode);
        Assert.All(keys, key => Assert.Contains($"  {key}: {expected}", output, StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_secret_file_the_line_ends_are_trimmed_and_what_else_is_around_the_value_is_an_error()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-secrets-").FullName;
        try
        {
            var environment = GatewayProcess.Environment(simulator: null, ("Hosting:SecretsFolder", folder));
            environment.Remove("Paymentwall__SecretKey");
            await WriteAsync("s3cret\r\n\n");
            var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(environment);
            Assert.True(exitCode == 0, output);

            foreach (var content in new[] { "\"s3cret\"\n", "s3cret \n", "s3cret\r\nsecond\r\n", "s\0e\0c\0" })
            {
                await WriteAsync(content);
                (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(environment);
                Assert.Equal(1, exitCode);
                Assert.Contains("  Paymentwall:SecretKey: ", output, StringComparison.Ordinal);
                Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Task WriteAsync(string content) => File.WriteAllTextAsync(Path.Combine(folder, "Paymentwall__SecretKey"), content, TestContext.Current.CancellationToken);
    }

    /// <summary>What reads the files does so on a thread of its own, whose end would be the process's.</summary>
    [Fact]
    public async Task A_secret_file_that_cannot_be_read_any_more_changes_nothing_until_it_can()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-secrets-").FullName;
        try
        {
            var file = Path.Combine(folder, "Redis__OperationTimeout");
            await File.WriteAllTextAsync(file, "00:00:01", TestContext.Current.CancellationToken);
            await using var gateway = await GatewayProcess.StartInAsync(GatewayProcess.Environment(simulator: null, ("Hosting:SecretsFolder", folder)));

            File.Delete(file);
            File.CreateSymbolicLink(file, Path.Combine(folder, "nowhere"));

            // It is looked at every four seconds.
            await Task.Delay(TimeSpan.FromSeconds(6), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/health/live")).Status);
            File.Delete(file);
            await File.WriteAllTextAsync(file, "00:00:02", TestContext.Current.CancellationToken);

            await gateway.LogLineAsync("was reloaded");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Telemetry_that_cannot_be_set_up_is_an_error_of_the_configuration()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(
            simulator: null, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret")));

        Assert.Equal(1, exitCode);
        Assert.Contains("OTEL_*: OpenTelemetry cannot be set up", output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_in_a_settings_file_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-copy-").FullName;
        try
        {
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Programs.Gateway)!))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            await File.WriteAllTextAsync(
                Path.Combine(folder, "appsettings.Production.json"),
                """{ "Paymentwall": { "SecretKey": "s3cret" }, "Redis": { "ConnectionString": "redis:6379,password=s3cret" } }""",
                TestContext.Current.CancellationToken);
            await using var process = ChildProcess.Start(
                "dotnet", [Path.Combine(folder, "Gateway.dll"), "--check-config"], GatewayProcess.Environment(simulator: null));

            Assert.Equal(1, await process.ExitCodeAsync());
            Assert.Contains("Paymentwall:SecretKey: is a secret and stands in appsettings.Production.json", process.Output, StringComparison.Ordinal);
            Assert.Contains("Redis:ConnectionString: is a secret and stands in appsettings.Production.json", process.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", process.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_start_leaves_no_file_in_the_home_folder()
    {
        var home = Directory.CreateTempSubdirectory("gateway-home-");
        try
        {
            await using (await GatewayProcess.StartInAsync(GatewayProcess.Environment(simulator: null, ("HOME", home.FullName))))
            {
                Assert.Empty(home.EnumerateFiles("*", SearchOption.AllDirectories));
            }
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Sinks_that_the_configuration_names_are_found()
    {
        await using var gateway = await GatewayProcess.StartInAsync(GatewayProcess.Environment(
            simulator: null, ("Serilog:WriteTo:0:Name", "Console"), ("Serilog:WriteTo:0:Args:outputTemplate", "<<{Level:u3}>> {Message}{NewLine}")));

        Assert.Contains("<<INF>> Now listening on", gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_config_of_a_sound_configuration_ends_with_0_and_listens_nowhere()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(simulator: null));

        Assert.Equal(0, exitCode);
        Assert.DoesNotContain("listening", output, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Billing:Timeout", "00:00:02", "Catalog:Deadline", "00:00:01", 1)]
    [InlineData("Billing:AllowHttp", "false", "Catalog:Deadline", "00:00:01", 0)]
    [InlineData("Paymentwall:AttemptTimeout", "00:00:01", "Paymentwall:Timeout", "00:00:00.5", 1)]
    [InlineData("Billing:BaseAddress", "http://billing.internal/", "Billing:AllowHttp", "true", 0)]
    [InlineData("Billing:BaseAddress", "http://localhost:1/", "Billing:AllowHttp", "false", 0)]
    [InlineData("Billing:BaseAddress", "https://user:password@billing.internal/", "Billing:AllowHttp", "false", 1)]
    public async Task Only_explicit_contradictions_are_errors(string key, string value, string otherKey, string otherValue, int expected)
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(
            GatewayProcess.Environment(simulator: null, (key, value), (otherKey, otherValue)));

        Assert.True(expected == exitCode, output);
    }

    [Fact]
    public async Task Taken_port_is_one_clear_line()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var first = await GatewayProcess.StartAsync(simulator);
        await using var second = ChildProcess.Start(
            "dotnet", [Programs.Gateway], GatewayProcess.Environment(simulator, ("ASPNETCORE_URLS", first.Address.AbsoluteUri)));

        Assert.Equal(1, await second.ExitCodeAsync());
        Assert.Contains("Cannot listen", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sigterm_ends_the_gateway_with_0()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);

        await gateway.StopAsync();

        Assert.Equal(0, await gateway.ExitCodeAsync());
    }

    [Theory]
    [InlineData(300)]
    [InlineData(600)]
    [InlineData(900)]
    public async Task Sigterm_while_it_starts_is_no_crash(int milliseconds)
    {
        await using var process = ChildProcess.Start("dotnet", [Programs.Gateway], GatewayProcess.Environment(simulator: null));
        await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System, TestContext.Current.CancellationToken);
        process.Signal(15);

        // Before the host listens to signals the runtime ends the process with 143.
        Assert.Contains(await process.ExitCodeAsync(), new[] { 0, 143 });
        Assert.DoesNotContain("Unhandled exception", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_http_beyond_loopback_is_warned_of()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("Billing:BaseAddress", "http://billing.internal/"), ("Billing:AllowHttp", "true"));

        Assert.Contains("\"@l\":\"Warning\"", await gateway.LogLineAsync("in clear"), StringComparison.Ordinal);
    }
}
