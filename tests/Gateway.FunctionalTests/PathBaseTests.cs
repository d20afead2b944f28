using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Published below a path, with the prefix stripped on the way or not.</summary>
public sealed class PathBaseTests
{
    [Fact]
    public async Task A_prefix_that_arrives_is_taken_off()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Hosting:PathBase", "/shop-api"), ("Catalog:Products:0", "builtfor_example"));
        await gateway.CompleteAsync("/shop-api/catalog");

        // The third by the fast path, as the one without the prefix.
        foreach (var path in new[] { "/shop-api/catalog", "/shop-api/catalog", "/SHOP-API/catalog/builtfor_example", "/catalog", "/shop-api/health/ready", "/shop-api/swagger/index.html" })
        {
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(path)).Status);
        }

        Assert.Equal("/shop-api/swagger", (await gateway.GetAsync("/shop-api/")).Header("Location"));
        Assert.Equal("/shop-api", (string?)(await gateway.GetAsync("/shop-api/swagger/v1/swagger.json")).Json["servers"]![0]!["url"]);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.GetAsync("/shop-apix/catalog")).Status);
    }

    [Theory]
    [InlineData("127.0.0.1", "/shop-api", "/shop-api/swagger")]
    [InlineData("192.0.2.1", "/shop-api", "/swagger")]
    [InlineData("127.0.0.1", "//evil.example", "/swagger")]
    [InlineData("127.0.0.1", "/\\evil.example", "/swagger")]
    [InlineData("127.0.0.1", "/a/%2Fb", "/swagger")]
    [InlineData("127.0.0.1", "/a/..//b", "/swagger")]
    public async Task One_that_was_stripped_is_a_known_proxy_s_to_tell(string proxy, string prefix, string location)
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Security:KnownProxies", proxy));

        Assert.Equal(location, (await gateway.GetAsync("/", ("X-Forwarded-Prefix", prefix), ("X-Forwarded-For", "203.0.113.7"))).Header("Location"));
    }
}
