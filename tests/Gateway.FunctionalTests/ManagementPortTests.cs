using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Health and administration on a port of their own; whoever is not meant to reach them finds nothing, however the path is written.</summary>
public sealed class ManagementPortTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private const string Catalog = "/catalog/builtfor_example?country=US";

    private static readonly (string, string) Key = ("X-Api-Key", GatewayProcess.AdminKey);

    private static string FreePort => RedisServer.FreePort().ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task Each_port_answers_its_own_and_nothing_else()
    {
        await using var gateway = await stack.StartGatewayAsync(("Hosting:ManagementPort", FreePort));

        foreach (var path in new[] { "/health/live", "/health/ready", "/health/details", "/admin/price-drift", "/admin/no-such-thing" })
        {
            Assert.Equal("routeNotFound", (await gateway.GetAsync(path, Key)).Code);
        }

        Assert.Equal("routeNotFound", (await gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge?all=true", Key)).Code);
        foreach (var target in new[] { "/HEALTH/ready", "/%68ealth/ready", "/./health/ready", "/catalog/../health/ready", "/health/../health/ready", "//health/ready" })
        {
            Assert.Equal(404, await RawRequest.StatusAsync(gateway.Address, target));
        }

        // A Host header does not choose the port.
        Assert.Equal(404, await RawRequest.StatusAsync(gateway.Address, "/health/ready", gateway.Management.Authority));

        foreach (var path in new[] { Catalog, "/", "/swagger/v1/swagger.json", "/billing/v1/products/builtfor_example/components", "/health/nothing" })
        {
            Assert.Equal("routeNotFound", (await gateway.GetAsync(On(gateway, path), Key)).Code);
        }

        // Not from the fast path either.
        await gateway.GetAsync(Catalog);
        await gateway.GetAsync(Catalog);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
        var elsewhere = await gateway.GetAsync(On(gateway, Catalog));
        Assert.Equal("routeNotFound", elsewhere.Code);
        Assert.Equal("nosniff", elsewhere.Header("X-Content-Type-Options"));

        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(On(gateway, "/health/ready"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(On(gateway, "/health/details"), Key)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.GetAsync(On(gateway, "/health/details"))).Status);
        await gateway.PurgeAsync();
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS")]
    [InlineData("ASPNETCORE_HTTP_PORTS")]
    [InlineData("Kestrel:Endpoints:Web:Url")]
    public async Task It_is_there_whichever_way_the_other_port_is_configured(string key)
    {
        var (port, management) = (FreePort, FreePort);
        var environment = GatewayProcess.Environment(
            stack.Simulator, (key, key == "ASPNETCORE_HTTP_PORTS" ? port : $"http://127.0.0.1:{port}"), ("Hosting:ManagementPort", management));
        if (key != "ASPNETCORE_URLS")
        {
            environment.Remove("ASPNETCORE_URLS");
        }

        await using var gateway = ChildProcess.Start("dotnet", [Programs.Gateway], environment);
        await gateway.LineAsync(line => line.Contains("Application started", StringComparison.Ordinal));

        Assert.Equal(200, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{port}"), Catalog));
        Assert.Equal(404, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{port}"), "/health/ready"));
        Assert.Equal(200, await RawRequest.StatusAsync(new Uri($"http://127.0.0.1:{management}"), "/health/ready"));
        await using var probe = ChildProcess.Start("dotnet", [Programs.Gateway, "--check-health"], environment);
        Assert.Equal(0, await probe.ExitCodeAsync());
    }

    [Theory]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("http")]
    public async Task A_port_that_is_none_does_not_start(string port)
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(stack.Simulator, ("Hosting:ManagementPort", port)));

        Assert.Equal(1, exitCode);
        Assert.Contains("Hosting:ManagementPort", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_answers_whatever_Host_says_and_nothing_else_does()
    {
        await using var gateway = await stack.StartGatewayAsync(("AllowedHosts", "shop.example;*.shop.example"));

        Assert.Equal(200, await RawRequest.StatusAsync(gateway.Address, "/health/live", "10.1.2.3:8080"));
        Assert.Equal(200, await RawRequest.StatusAsync(gateway.Address, "/health/ready", "10.1.2.3:8080"));
        Assert.Equal(401, await RawRequest.StatusAsync(gateway.Address, "/health/details", "10.1.2.3:8080"));
        Assert.Equal(400, await RawRequest.StatusAsync(gateway.Address, Catalog, "10.1.2.3:8080"));
        Assert.Equal(400, await RawRequest.StatusAsync(gateway.Address, "/admin/price-drift", "10.1.2.3:8080"));
        Assert.Equal(400, await RawRequest.StatusAsync(gateway.Address, "/catalog/../admin/price-drift", "health"));
        Assert.Equal(200, await RawRequest.StatusAsync(gateway.Address, Catalog, "shop.example"));
        Assert.Equal(200, await RawRequest.StatusAsync(gateway.Address, Catalog, "eu.SHOP.example:443"));
    }

    /// <summary>Was: a call that its limit refused left no line, so that whoever guessed fast guessed unseen.</summary>
    [Fact]
    public async Task Administration_is_audited_also_where_its_limit_refuses_it()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Redis:ConnectionString", string.Empty),
            ("Security:RateLimits:Admin:PermitsPerSecond", "0.01"), ("Security:RateLimits:Admin:Burst", "2"));

        await gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge?all=true", ("X-Api-Key", "guess-1"));
        await gateway.GetAsync("/health/details", ("X-Api-Key", "guess-2"));
        await gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge?all=true", ("X-Api-Key", "guess-3"));
        await gateway.GetAsync("/health/details", ("X-Api-Key", "guess-4"));
        await gateway.LogLineAsync("Audit: \\\"nobody\\\" from \\\"127.0.0.1\\\": \\\"GET\\\" \\\"/health/details\\\" 429");

        var lines = gateway.Log.Split('\n').Where(line => line.Contains("Gateway.Audit", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line)!).Select(line => $"{line["Method"]} {line["Path"]} {line["StatusCode"]}");
        Assert.Equal(
            ["POST /admin/cache/purge 401", "GET /health/details 401", "POST /admin/cache/purge 429", "GET /health/details 429"], lines);
    }

    private static string On(GatewayProcess gateway, string path) => new Uri(gateway.Management, path).AbsoluteUri;
}
