using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>No token, no call: each way a token request can fail. The other rows of the problem table are in Scenarios/problems.</summary>
public sealed class ProblemTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog?product=builtfor_example";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("""{"status":500}""")]
    [InlineData("""{"status":401,"body":"{\"error\":\"invalid_client\"}"}""")]
    [InlineData("""{"status":302,"headers":{"Location":"https://localhost/"}}""")]
    [InlineData("""{"body":"not json"}""")]
    [InlineData("""{"body":"{}"}""")]
    [InlineData("""{"drop":true}""")]
    [InlineData("""{"truncate":true}""")]
    public async Task Without_a_token_it_is_503_and_billing_is_not_called(string fault)
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator);
        await stack.Simulator.FaultAsync("authorization", System.Text.Json.Nodes.JsonNode.Parse(fault)!);

        var answer = await gateway.GetAsync(Catalog);

        AssertProblem(answer, HttpStatusCode.ServiceUnavailable, "tokenUnavailable");
        Assert.True(int.Parse(answer.Headers["Retry-After"], CultureInfo.InvariantCulture) >= 1);
        Assert.Empty(await stack.Simulator.ReceivedAsync("billing"));

        await stack.Simulator.ClearFaultsAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog)).Status);
    }

    [Fact]
    public async Task Token_endpoint_that_never_answers_is_503_within_the_deadline()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator, ("Catalog:Deadline", "00:00:00.5"));
        await stack.Simulator.FaultAsync("authorization", new { match = "/oauth2/token", hang = true });

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.ServiceUnavailable, "tokenUnavailable");
    }

    [Fact]
    public async Task Authority_whose_certificate_is_not_trusted_is_503()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator, ("SSL_CERT_FILE", "/dev/null"));

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.ServiceUnavailable, "tokenUnavailable");
        Assert.Equal(0, await stack.Simulator.TokenRequestsAsync());
    }

    private static void AssertProblem(Answer answer, HttpStatusCode status, string code)
    {
        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.Equal("application/problem+json", answer.Headers["Content-Type"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal("urn:gateway:problem:" + code, (string?)answer.Json["type"]);
        Assert.Equal((int)status, (int)answer.Json["status"]!);
        Assert.Matches("^[0-9a-f]{32}$", (string)answer.Json["traceId"]!);
        Assert.DoesNotContain("127.0.0.1", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("Server", answer.Headers.Keys);
    }
}
