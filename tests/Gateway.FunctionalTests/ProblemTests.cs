using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Every row of the problem table that can be reached, as a client sees it.</summary>
public sealed class ProblemTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog?product=builtfor_example";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("/catalog", "product")]
    [InlineData("/catalog?product=", "product")]
    [InlineData("/catalog?product=a,,b", "product")]
    [InlineData("/catalog?product=..", "product")]
    [InlineData("/catalog?product=a%2Fb", "product")]
    [InlineData("/catalog/a%20b", "productId")]
    [InlineData(Catalog + "&country=XX", "country")]
    [InlineData(Catalog + "&country=", "country")]
    [InlineData(Catalog + "&country=US&country=FR", "country")]
    [InlineData(Catalog + "&lang=eng", "lang")]
    [InlineData(Catalog + "&type=plan,thing", "type")]
    [InlineData(Catalog + "&type=", "type")]
    [InlineData(Catalog + "&period=decade", "period")]
    [InlineData(Catalog + "&status=Active!", "status")]
    [InlineData(Catalog + "&sandbox=yes", "sandbox")]
    [InlineData(Catalog + "&prices=maybe", "prices")]
    public async Task Invalid_parameter_is_400_and_named(string path, string parameter)
    {
        var answer = await stack.Gateway.GetAsync(path);

        AssertProblem(answer, HttpStatusCode.BadRequest, "invalidParameter");
        Assert.Equal(parameter, (string?)answer.Json["parameter"]);
        Assert.Contains("Allowed:", (string?)answer.Json["detail"], StringComparison.Ordinal);
        Assert.Empty(await stack.Simulator.ReceivedAsync("billing"));
    }

    [Fact]
    public async Task Too_many_products_are_400()
    {
        var products = string.Join(',', Enumerable.Range(0, 51).Select(n => $"p{n}"));

        AssertProblem(await stack.Gateway.GetAsync("/catalog?product=" + products), HttpStatusCode.BadRequest, "invalidParameter");
    }

    [Fact]
    public async Task Another_status_than_active_needs_a_key()
    {
        var answer = await stack.Gateway.GetAsync(Catalog + "&status=archived");

        AssertProblem(answer, HttpStatusCode.Unauthorized, "unauthenticated");
        Assert.Contains("X-Api-Key", answer.Headers["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_product_is_404() =>
        AssertProblem(await stack.Gateway.GetAsync("/catalog/nothing"), HttpStatusCode.NotFound, "productNotFound");

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/catalog/a/b")]
    [InlineData("/admin/nothing")]
    public async Task Unknown_route_is_404(string path) =>
        AssertProblem(await stack.Gateway.GetAsync(path), HttpStatusCode.NotFound, "routeNotFound");

    [Fact]
    public async Task Other_methods_are_405_with_allow()
    {
        var answer = await stack.Gateway.SendAsync(HttpMethod.Delete, Catalog);

        AssertProblem(answer, HttpStatusCode.MethodNotAllowed, "methodNotAllowed");
        Assert.Equal("GET, HEAD", answer.Headers["Allow"]);
    }

    [Theory]
    [InlineData("""{"status":500}""", 502, "upstreamRejected")]
    [InlineData("""{"status":403}""", 502, "upstreamRejected")]
    [InlineData("""{"status":429,"retryAfter":"60"}""", 502, "upstreamRejected")]
    [InlineData("""{"status":302,"headers":{"Location":"/elsewhere"}}""", 502, "upstreamRejected")]
    [InlineData("""{"body":"[]"}""", 502, "upstreamBadPayload")]
    [InlineData("""{"body":"<html>maintenance</html>","contentType":"text/html"}""", 502, "upstreamBadPayload")]
    [InlineData("""{"body":"{\"items\":[{\"id\":5}]}"}""", 502, "upstreamBadPayload")]
    [InlineData("""{"body":"{\"items\":[{\"id\":\"a\",\"price\":10.5}]}"}""", 502, "upstreamBadPayload")]
    [InlineData("""{"drop":true}""", 502, "upstreamUnreachable")]
    [InlineData("""{"truncate":true}""", 502, "upstreamUnreachable")]
    public async Task Billing_that_fails_makes_the_problem_of_the_table(string fault, int status, string code)
    {
        await stack.Simulator.FaultAsync("billing", System.Text.Json.Nodes.JsonNode.Parse(fault)!);

        AssertProblem(await stack.Gateway.GetAsync(Catalog), (HttpStatusCode)status, code);
    }

    [Fact]
    public async Task Billing_that_is_too_slow_is_504()
    {
        await using var gateway = await stack.StartGatewayAsync(("Billing:Timeout", "00:00:00.5"), ("Billing:AttemptTimeout", "00:00:00.3"));
        await stack.Simulator.FaultAsync("billing", new { hang = true });

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.GatewayTimeout, "upstreamTimedOut");
    }

    [Fact]
    public async Task Deadline_of_the_catalog_is_504_when_nothing_is_there()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:Deadline", "00:00:00.4"));
        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/catalog/reviews_example?prices=skip")).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
        await stack.Simulator.FaultAsync("billing", new { hang = true });

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.GatewayTimeout, "upstreamTimedOut");
    }

    [Fact]
    public async Task Prices_that_miss_the_deadline_are_labelled_and_the_rest_is_answered()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:Deadline", "00:00:00.7"));
        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/catalog/reviews_example")).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(10));
        await stack.Simulator.FaultAsync("paymentwall", new { match = "builtfor_example-pro-EUR-monthly", hang = true });

        var answer = await gateway.GetAsync(Catalog);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.False((bool)answer.Json["completeness"]!["complete"]!);
        Assert.Equal(1, (int)answer.Json["completeness"]!["unavailable"]!);
        var price = answer.Component("builtfor_example-pro-EUR-monthly")["price"]!;
        Assert.Equal(("unavailable", "timeout"), ((string)price["status"]!, (string)price["reason"]!));
    }

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
    public async Task Wrong_credentials_are_503_and_the_log_says_what_the_server_said()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator, ("AccessTokens:ClientSecret", "not it"));

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.ServiceUnavailable, "tokenUnavailable");
        Assert.Contains("\"StatusCode\":401", await gateway.LogLineAsync("invalid_client"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Authority_whose_certificate_is_not_trusted_is_503()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator, ("SSL_CERT_FILE", "/dev/null"));

        AssertProblem(await gateway.GetAsync(Catalog), HttpStatusCode.ServiceUnavailable, "tokenUnavailable");
        Assert.Equal(0, await stack.Simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task Billing_that_keeps_failing_is_left_alone_for_a_while()
    {
        await using var gateway = await stack.StartGatewayAsync();
        await stack.Simulator.FaultAsync("billing", new { status = 500 });
        for (var call = 0; call < 100; call++)
        {
            if ((await gateway.GetAsync(Catalog)).Code == "circuitOpen")
            {
                break;
            }
        }

        var before = (await stack.Simulator.ReceivedAsync("billing")).Count;
        var answer = await gateway.GetAsync(Catalog);

        AssertProblem(answer, HttpStatusCode.ServiceUnavailable, "circuitOpen");
        Assert.NotNull(answer.Headers["Retry-After"]);
        Assert.Equal(before, (await stack.Simulator.ReceivedAsync("billing")).Count);
        Assert.Equal(100, before);
    }

    [Fact]
    public async Task Of_several_failures_the_one_that_may_pass_is_told()
    {
        await stack.Simulator.FaultAsync("billing", new { match = "builtfor_example", status = 400 });

        AssertProblem(await stack.Gateway.GetAsync("/catalog?product=nothing,builtfor_example"), HttpStatusCode.BadGateway, "upstreamRejected");
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
