using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Upstreams that speak HTTP in other ways than Kestrel does: a real nginx before the simulator.</summary>
public sealed class ProxyNginxTests
{
    private const string Components = "/billing/v1/products/builtfor_example/components";

    [Theory]
    [InlineData("proxy_http_version 1.1; proxy_set_header Connection '';")] // keep-alive behind
    [InlineData("proxy_http_version 1.0; keepalive_timeout 0;")] // HTTP/1.0 behind, closing in front
    [InlineData("proxy_http_version 1.1; gzip on; gzip_min_length 1; gzip_types application/json application/javascript;")] // chunked and compressed
    [InlineData("proxy_http_version 1.1; proxy_buffering off; chunked_transfer_encoding on;")]
    public async Task Proxied_calls_and_the_catalog_work_through_nginx(string directives)
    {
        Assert.SkipUnless(NginxProcess.IsInstalled, "There is no nginx on this machine: install the package nginx.");
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var billing = await NginxProcess.StartAsync(simulator.Billing, directives);
        await using var paymentwall = await NginxProcess.StartAsync(simulator.Paymentwall, directives);
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("Billing:BaseAddress", billing.Address.AbsoluteUri), ("Paymentwall:BaseAddress", paymentwall.Address.AbsoluteUri));

        for (var call = 0; call < 3; call++)
        {
            var components = await gateway.GetAsync(Components);
            Assert.Equal((HttpStatusCode.OK, 14), (components.Status, components.Items.Count(item => (string?)item!["status"] == "active")));
            Assert.StartsWith("fn({", (await gateway.GetAsync("/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly&callback=fn")).Body, StringComparison.Ordinal);
        }

        var catalog = await gateway.GetAsync("/catalog/builtfor_example");
        Assert.Equal((HttpStatusCode.OK, 13), (catalog.Status, (int)catalog.Json["completeness"]!["priced"]!));
        var written = await gateway.SendAsync(HttpMethod.Put, "/billing/v1/subscriptions/x/items/y/quantity", ("X-Api-Key", GatewayProcess.ProxyKey));
        Assert.NotEqual(HttpStatusCode.BadGateway, written.Status);
    }
}
