using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>What the shipped load balancers let through, also before a gateway whose management port was forgotten.</summary>
public sealed class PublicPathsTests
{
    private static readonly string[] Hidden =
    [
        "/health/ready", "/HEALTH/ready", "/%68ealth/ready", "/./health/ready", "/catalog/../health/ready", "/catalog/%2e%2e/health/ready",
        "//health/ready", "/catalog/..%2fhealth/ready", "/admin/price-drift", "/Admin/price-drift", "/%61dmin/price-drift", "/swagger/../admin/price-drift",
        "/catalogx", "/nothing",
    ];

    private static readonly string[] Public =
    [
        "/catalog?product=builtfor_example&country=US", "/catalog/builtfor_example?country=US", "/Catalog/builtfor_example?country=US", "/swagger/v1/swagger.json",
        "/billing/v1/products/builtfor_example/components", "/paymentwall/api/rest/product?ag_external_id=builtfor_example-starter-EUR-monthly&country_code=US",
    ];

    [Fact]
    public async Task Haproxy_lets_through_what_is_public_and_nothing_else()
    {
        Assert.SkipUnless(HaproxyProcess.IsInstalled, "Needs haproxy.");
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);
        await using var haproxy = await HaproxyProcess.StartAsync([.. Enumerable.Repeat((gateway.Address.Port, gateway.Address.Port), 3)]);

        await CheckAsync(haproxy.Address);
    }

    [Fact]
    public async Task So_does_nginx()
    {
        Assert.SkipUnless(NginxProcess.IsInstalled, "Needs nginx.");
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);
        await using var nginx = await NginxSample.StartAsync([gateway.Address, gateway.Address, gateway.Address]);

        await CheckAsync(nginx.Address);
    }

    private static async Task CheckAsync(Uri address)
    {
        foreach (var target in Hidden)
        {
            Assert.True(await RawRequest.StatusAsync(address, target) is 400 or 404, target);
        }

        foreach (var target in Public)
        {
            Assert.True(await RawRequest.StatusAsync(address, target) == 200, target);
        }

        Assert.Equal(302, await RawRequest.StatusAsync(address, "/"));

        // Dots that are no dot segment are a name: it is the gateway that answers.
        using var client = new HttpClient { BaseAddress = address };
        foreach (var product in new[] { "...", ".a", "a." })
        {
            using var answer = await client.GetAsync(new Uri($"/catalog/{product}?country=US", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Contains("productNotFound", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }
}
