using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Every other call: with credentials and without holes.</summary>
public sealed class ProxyTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Components = "/billing/v1/products/builtfor_example/components";
    private const string Product = "/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly";

    private GatewayProcess Gateway => stack.Gateway;

    private SimulatorProcess Simulator => stack.Simulator;

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Product_details_are_signed_in_version_2_too()
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:SignatureVersion", "2"));

        var answer = await gateway.GetAsync(Product + "&callback=shop.prices.show&country_code=FR");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.StartsWith("shop.prices.show({", answer.Body, StringComparison.Ordinal);
        Assert.EndsWith("});", answer.Body, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        Assert.Equal("2", Assert.Single(await Simulator.ReceivedAsync("paymentwall")).Query("sign_version"));
    }

    [Theory]
    [InlineData("/billing/v1/products/x/components/../../../subscriptions/x/items/y/quantity")]
    [InlineData("/billing/v1/products/x/components/%2e%2e/%2e%2e/%2e%2e/customers/1/subscriptions/x")]
    [InlineData("/billing/v1/products/..%2f..%2fcustomers/components")]
    [InlineData("/billing/v1/products/x/components/..%2F..%2F..%2Fcustomers%2F1")]
    [InlineData("/billing/v1/products/x/components/%252e%252e/%252e%252e/customers")]
    [InlineData("/billing/v1/products/x/components/..;/..;/customers")]
    [InlineData("/billing/v1/products/x/components/..%5c..%5ccustomers")]
    [InlineData("/billing/v1/products//components")]
    [InlineData("/billing/v1/products/x/components//..//customers")]
    [InlineData("/billing//v1/products/x/components")]
    [InlineData("/BILLING/V1/customers/1/subscriptions/x")]
    [InlineData("/paymentwall/api/rest/product/..%2fsubscription?ag_external_id=a")]
    [InlineData("/paymentwall/api/rest/product%2f?ag_external_id=a")]
    public async Task Path_tricks_reach_nothing_that_is_not_open(string path)
    {
        var status = await RawAsync(Gateway.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n");

        Assert.Matches("^HTTP/1.1 (400|401|404) ", status);
        Assert.Empty(await Simulator.ReceivedAsync("billing"));
        Assert.Empty(await Simulator.ReceivedAsync("paymentwall"));
    }

    [Fact]
    public async Task An_upgrade_is_refused()
    {
        var status = await RawAsync(
            Gateway.Address,
            $"GET {Components} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", status, StringComparison.Ordinal);
        Assert.Empty(await Simulator.ReceivedAsync("billing"));
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_the_upstream_call()
    {
        await Simulator.FaultAsync("billing", new { hang = true });
        using var client = new HttpClient { BaseAddress = Gateway.Address };
        using var leaving = new CancellationTokenSource();
        var call = client.GetAsync(Components, leaving.Token);
        await GatewayProcess.EventuallyAsync(async () => (await Simulator.ReceivedAsync("billing")).Count == 1, TimeSpan.FromSeconds(5));

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await GatewayProcess.EventuallyAsync(async () => (await Simulator.ReceivedAsync("billing"))[0].Aborted, TimeSpan.FromSeconds(5));
    }

    /// <summary>The status line of the answer to bytes that no well-bred client would send.</summary>
    private static async Task<string> RawAsync(Uri address, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadLineAsync(TestContext.Current.CancellationToken) ?? string.Empty;
    }
}
