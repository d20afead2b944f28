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

    [Fact]
    public async Task Plain_http_beyond_loopback_is_warned_of()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("Billing:BaseAddress", "http://billing.internal/"), ("Billing:AllowHttp", "true"));

        Assert.Contains("\"Level\":\"Warning\"", await gateway.LogLineAsync("in clear"), StringComparison.Ordinal);
    }
}
