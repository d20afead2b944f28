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
    private const string Quantity = "/billing/v1/subscriptions/x/items/y/quantity";

    private static readonly (string, string) Key = ("X-Api-Key", GatewayProcess.ProxyKey);

    private GatewayProcess Gateway => stack.Gateway;

    private SimulatorProcess Simulator => stack.Simulator;

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("")]
    [InlineData("?lang_iso_code=fr&sandbox=true")]
    [InlineData("/builtfor_example-pro-EUR-monthly")]
    public async Task Components_of_a_product_are_open_and_carry_the_gateway_s_token(string rest)
    {
        var answer = await Gateway.GetAsync(Components + rest);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        var request = Assert.Single(await Simulator.ReceivedAsync("billing"));
        Assert.StartsWith("Bearer ey", request.Header("Authorization"), StringComparison.Ordinal);
        Assert.Equal("/v1/products/builtfor_example/components" + rest.Split('?')[0], request.Path);
        Assert.Equal(rest.Contains('?', StringComparison.Ordinal) ? rest.Split('?')[1] : string.Empty, request.RawQuery);
    }

    [Theory]
    [InlineData("3")]
    [InlineData("2")]
    public async Task Product_details_are_signed_and_wrapped_for_a_browser(string version)
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:SignatureVersion", version));

        var answer = await gateway.GetAsync(Product + "&callback=shop.prices.show&country_code=FR");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.StartsWith("shop.prices.show({", answer.Body, StringComparison.Ordinal);
        Assert.EndsWith("});", answer.Body, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
        Assert.Equal(version, Assert.Single(await Simulator.ReceivedAsync("paymentwall")).Query("sign_version"));
    }

    [Fact]
    public async Task Unknown_sku_and_non_ascii_sku_are_signed_right()
    {
        Assert.Equal("fn([]);", (await Gateway.GetAsync("/paymentwall/api/rest/product/?ag_external_id=caf%C3%A9+%26%20plan%2B1&callback=fn")).Body);
        Assert.Equal("café & plan+1", Assert.Single(await Simulator.ReceivedAsync("paymentwall")).Query("ag_external_id"));
    }

    [Fact]
    public async Task Country_is_defaulted_as_the_catalog_does()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:CountryHeader", "CF-IPCountry"));

        await gateway.GetAsync(Product);
        await gateway.GetAsync(Product, ("CF-IPCountry", "de"));

        Assert.Equal(["US", "DE"], (await Simulator.ReceivedAsync("paymentwall")).Select(request => request.Query("country_code")));
    }

    [Theory]
    [InlineData("", "ag_external_id")]
    [InlineData("?callback=fn", "ag_external_id")]
    [InlineData("?ag_external_id=", "ag_external_id")]
    [InlineData("?ag_external_id=a&ag_external_id=b", "ag_external_id")]
    [InlineData("?ag_external_id=a&country_code=XX", "country_code")]
    [InlineData("?ag_external_id=a&callback=alert(1)", "callback")]
    [InlineData("?ag_external_id=a&callback=a..b", "callback")]
    [InlineData("?ag_external_id=a&callback=fn%0A", "callback")]
    [InlineData("?ag_external_id=a&uid=1", "uid")]
    [InlineData("?ag_external_id=a&key=mine", "key")]
    [InlineData("?ag_external_id=a&sign=mine", "sign")]
    [InlineData("?ag_external_id=a&AG_external_id=b", "AG_external_id")]
    [InlineData("?Ag_External_Id=a", "Ag_External_Id")]
    public async Task Nothing_but_product_details_is_signed_for_anybody(string query, string parameter)
    {
        var answer = await Gateway.GetAsync("/paymentwall/api/rest/product" + query);

        Assert.Equal((HttpStatusCode.BadRequest, parameter), (answer.Status, (string?)answer.Json["parameter"]));
        Assert.Empty(await Simulator.ReceivedAsync("paymentwall"));
    }

    [Theory]
    [InlineData("PUT", Quantity)]
    [InlineData("PATCH", Quantity)]
    [InlineData("GET", "/billing/v1/customers/1/subscriptions/x")]
    [InlineData("GET", "/billing")]
    [InlineData("GET", "/billing/")]
    [InlineData("POST", Components)]
    [InlineData("DELETE", Components)]
    [InlineData("POST", "/paymentwall/api/rest/product")]
    [InlineData("GET", "/paymentwall/api/subscription")]
    [InlineData("GET", "/paymentwall/api/rest/product/extra")]
    public async Task The_rest_needs_a_key_and_reaches_no_upstream_without(string method, string path)
    {
        foreach (var (key, status) in new[] { (string.Empty, 401), ("wrong", 401), (GatewayProcess.AdminKey, 403) })
        {
            var answer = await Gateway.SendAsync(new HttpMethod(method), path, ("X-Api-Key", key));
            Assert.Equal((HttpStatusCode)status, answer.Status);
        }

        Assert.Empty(await Simulator.ReceivedAsync("billing"));
        Assert.Empty(await Simulator.ReceivedAsync("paymentwall"));
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
    public async Task With_the_key_everything_goes_through_and_bodies_travel_both_ways()
    {
        using var client = new HttpClient { BaseAddress = Gateway.Address };
        client.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ProxyKey);
        using var body = new StringContent("""{"quantity":10}""", Encoding.UTF8, "application/json");

        using var response = await client.PutAsync(Quantity, body, TestContext.Current.CancellationToken);

        Assert.Equal("""{"item":{"quantity":10}}""", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var request = Assert.Single(await Simulator.ReceivedAsync("billing"));
        Assert.Equal("application/json; charset=utf-8", request.Header("Content-Type"));
        Assert.Equal("15", request.Header("Content-Length"));
    }

    [Fact]
    public async Task A_keyed_call_to_paymentwall_is_signed_and_the_caller_s_own_signature_is_dropped()
    {
        var answer = await Gateway.GetAsync(Product + "&key=mine&sign=mine&sign_version=1&country_code=US", Key);

        // The anonymous route is the better match, and refuses what it does not know.
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        await Gateway.GetAsync("/paymentwall/api/other?uid=1&key=mine&sign=mine&sign_version=1", Key);
        var request = Assert.Single(await Simulator.ReceivedAsync("paymentwall"));
        Assert.Equal((GatewayProcess.ProjectKey, "3", "1"), (request.Query("key"), request.Query("sign_version"), request.Query("uid")));
        Assert.Matches("^[0-9a-f]{64}$", request.Query("sign"));
    }

    [Fact]
    public async Task Only_allowed_headers_travel_up()
    {
        (string, string)[] headers =
        [
            ("Authorization", "Bearer mine"), ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1.2.3.4"), ("X-Forwarded-Host", "evil"),
            ("X-HTTP-Method-Override", "DELETE"), ("X-Api-Key", GatewayProcess.ProxyKey), ("X-Original-URL", "/admin"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("Proxy-Authorization", "x"), ("Accept-Language", "fr"), ("If-None-Match", "\"a\""), ("User-Agent", "shop/1"), ("sandbox", "true"), ("Range", "bytes=0-1"),
        ];

        await Gateway.GetAsync(Components, headers);
        await Gateway.GetAsync(Product, headers);

        foreach (var request in new[] { Assert.Single(await Simulator.ReceivedAsync("billing")), Assert.Single(await Simulator.ReceivedAsync("paymentwall")) })
        {
            Assert.NotEqual("Bearer mine", request.Header("Authorization"));
            foreach (var name in new[] { "Cookie", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-HTTP-Method-Override", "X-Api-Key", "X-Original-URL", "traceparent", "Proxy-Authorization" })
            {
                Assert.Null(request.Header(name));
            }

            Assert.Equal(("fr", "\"a\"", "shop/1", "true", "bytes=0-1"), (request.Header("Accept-Language"), request.Header("If-None-Match"), request.Header("User-Agent"), request.Header("sandbox"), request.Header("Range")));
        }
    }

    [Fact]
    public async Task Headers_that_are_the_upstream_s_own_business_do_not_come_down()
    {
        await Simulator.FaultAsync("billing", new
        {
            headers = new Dictionary<string, string>
            {
                ["Set-Cookie"] = "a=b",
                ["Server"] = "secret/1.0",
                ["Clear-Site-Data"] = "\"*\"",
                ["Access-Control-Allow-Origin"] = "*",
                ["X-Kept"] = "yes",
            },
            status = 200,
            body = "{}",
        });

        var answer = await Gateway.GetAsync(Components);

        Assert.Equal((HttpStatusCode.OK, "yes"), (answer.Status, answer.Headers["X-Kept"]));
        foreach (var name in new[] { "Set-Cookie", "Server", "Clear-Site-Data", "Access-Control-Allow-Origin" })
        {
            Assert.DoesNotContain(name, answer.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    public async Task A_redirect_does_not_hand_our_signature_to_the_caller(int status)
    {
        await Simulator.FaultAsync("paymentwall", new { status, headers = new { Location = "https://elsewhere.example/?sign=ours" } });

        var answer = await Gateway.GetAsync(Product);

        Assert.Equal((HttpStatusCode.BadGateway, "upstreamRejected"), (answer.Status, answer.Code));
        Assert.DoesNotContain("Location", answer.Headers.Keys);
    }

    [Theory]
    [InlineData(404, """{"statusCode":404}""")]
    [InlineData(404, "")]
    [InlineData(500, "oops")]
    public async Task Other_statuses_and_bodies_pass_as_they_are(int status, string body)
    {
        await Simulator.FaultAsync("billing", new { status, body });

        var answer = await Gateway.GetAsync(Components);

        Assert.Equal(((HttpStatusCode)status, body), (answer.Status, answer.Body));
    }

    [Fact]
    public async Task A_304_is_no_redirect()
    {
        await Simulator.FaultAsync("billing", new { status = 304 });

        Assert.Equal(HttpStatusCode.NotModified, (await Gateway.GetAsync(Components, ("If-None-Match", "\"a\""))).Status);
    }

    [Fact]
    public async Task An_upstream_that_failed_is_called_again_at_once()
    {
        await using var gateway = await stack.StartGatewayAsync();
        await Simulator.FaultAsync("billing", new { drop = true });
        for (var call = 0; call < 20; call++)
        {
            Assert.Equal("upstreamUnreachable", (await gateway.GetAsync(Components)).Code);
        }

        await Simulator.ClearFaultsAsync();

        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Components)).Status);
    }

    [Theory]
    [InlineData("""{"drop":true}""", 502, "upstreamUnreachable")]
    [InlineData("""{"hang":true}""", 504, "upstreamTimedOut")]
    [InlineData("""{"status":401}""", 502, "upstreamRejected")]
    public async Task What_cannot_be_forwarded_is_a_problem_of_the_table(string fault, int status, string code)
    {
        // Short only for what waits for it: a replica that has just started has its token to get first.
        var timeout = fault.Contains("hang", StringComparison.Ordinal) ? "00:00:01" : "00:00:20";
        await using var gateway = await stack.StartGatewayAsync(("ReverseProxy:Routes:billing-components:Timeout", timeout));
        await Simulator.FaultAsync("billing", System.Text.Json.Nodes.JsonNode.Parse(fault)!);

        var answer = await gateway.GetAsync(Components);

        Assert.Equal(((HttpStatusCode)status, code), (answer.Status, answer.Code));
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
    }

    [Fact]
    public async Task Without_a_token_nothing_is_sent()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator);
        await Simulator.FaultAsync("authorization", new { status = 503 });

        var answer = await gateway.GetAsync(Components);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "tokenUnavailable"), (answer.Status, answer.Code));
        Assert.True(answer.Headers.ContainsKey("Retry-After"));
        Assert.Empty(await Simulator.ReceivedAsync("billing"));
    }

    [Fact]
    public async Task Token_revoked_in_the_middle_of_traffic_is_seen_by_no_client()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator);
        await gateway.GetAsync(Components);
        await Simulator.RevokeTokensAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => gateway.GetAsync(Components)));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(2, await Simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task A_path_that_always_answers_401_does_not_burn_tokens()
    {
        await using var gateway = await GatewayProcess.StartAsync(stack.Simulator);
        await Simulator.FaultAsync("billing", new { match = "components", status = 401 });

        for (var call = 0; call < 5; call++)
        {
            Assert.Equal("upstreamRejected", (await gateway.GetAsync(Components)).Code);
        }

        Assert.Equal(2, await Simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task A_body_beyond_its_limit_is_413()
    {
        using var client = new HttpClient { BaseAddress = Gateway.Address };
        client.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ProxyKey);
        using var body = new StringContent(new string('x', 1_100_000));

        using var response = await client.PutAsync(Quantity, body, TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "tooLarge"), (response.StatusCode, (await Answer.ReadAsync(response)).Code));
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

    [Theory]
    [InlineData("ReverseProxy:Routes:x:AuthorizationPolicy", "", "AuthorizationPolicy")]
    [InlineData("ReverseProxy:Routes:x:AuthorizationPolicy", "anonymous", "GET and HEAD")]
    [InlineData("ReverseProxy:Routes:x:AuthorizationPolicy", "nonsense", "nonsense")]
    [InlineData("ReverseProxy:Routes:x:Transforms:0:AccessToken", "perhaps", "takes no settings")]
    [InlineData("ReverseProxy:Clusters:c:Destinations:d:Address", "https://elsewhere.example/", "Billing:BaseAddress")]
    public async Task A_route_that_would_be_a_hole_is_refused_at_start_and_by_check_config(string key, string value, string reason)
    {
        var environment = GatewayProcess.Environment(
            Simulator,
            ("ReverseProxy:Clusters:c:Destinations:d:Address", Simulator.Billing.AbsoluteUri),
            ("ReverseProxy:Routes:x:ClusterId", "c"),
            ("ReverseProxy:Routes:x:AuthorizationPolicy", "proxy"),
            ("ReverseProxy:Routes:x:Match:Path", "/x/{**rest}"),
            ("ReverseProxy:Routes:x:Transforms:0:AccessToken", "true"));
        Assert.Equal(0, (await GatewayProcess.CheckConfigurationAsync(environment)).ExitCode);
        environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;

        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(environment);

        Assert.True(exitCode == 1, output);
        Assert.Contains(reason, output, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_leads_nowhere_but_to_paymentwall()
    {
        var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(
            Simulator,
            ("ReverseProxy:Routes:x:ClusterId", "billing"),
            ("ReverseProxy:Routes:x:AuthorizationPolicy", "proxy"),
            ("ReverseProxy:Routes:x:Match:Path", "/x/{**rest}"),
            ("ReverseProxy:Routes:x:Transforms:0:PaymentwallSignature", "true")));

        Assert.True(exitCode == 1, output);
        Assert.Contains("Paymentwall:BaseAddress", output, StringComparison.Ordinal);
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
