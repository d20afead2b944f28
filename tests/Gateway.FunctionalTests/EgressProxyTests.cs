using System.Net;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A network with a proxy on the way out: one rule for the token server, Billing, Paymentwall and what is forwarded to them.</summary>
public sealed class EgressProxyTests(EgressProxyTests.Simulator simulated) : IClassFixture<EgressProxyTests.Simulator>, IAsyncLifetime
{
    private const string Catalog = "/catalog/builtfor_example";
    private const string ToBilling = "/billing/v1/products/builtfor_example/components";
    private const string ToPaymentwall = "/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly";

    private SimulatorProcess Upstreams => simulated.Process;

    public async ValueTask InitializeAsync() => await Upstreams.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("Proxy:Address={credentials}")]
    [InlineData("Proxy:Address={address}", "Proxy:User=" + ForwardProxy.User, "Proxy:Password=" + ForwardProxy.Password)]
    [InlineData("HTTPS_PROXY={credentials}")]
    [InlineData("https_proxy={address}", "Proxy:User=" + ForwardProxy.User, "Proxy:Password=" + ForwardProxy.Password)]
    public async Task The_catalog_and_forwarded_calls_go_through_it_and_its_credentials_stay_unseen(params string[] settings)
    {
        await using var proxy = new ForwardProxy(wantsCredentials: true);
        await using var gateway = await StartAsync(proxy, settings);

        await gateway.CompleteAsync(Catalog);
        Assert.All([Upstreams.Authority, Upstreams.Billing, Upstreams.Paymentwall], upstream => Assert.Contains(Tunnel(upstream), proxy.Passed));
        var catalog = proxy.Passed.Count;
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(ToBilling)).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(ToPaymentwall)).Status);
        Assert.Equal([Tunnel(Upstreams.Billing), Tunnel(Upstreams.Paymentwall)], proxy.Passed.Skip(catalog));

        // That it is said which proxy is used shows nothing of who uses it.
        await gateway.LogLineAsync($"goes through the proxy {new Uri(proxy.Address).Authority}");
        var details = await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey));
        Assert.Equal(HttpStatusCode.OK, details.Status);
        AssertUnseen(gateway);
    }

    [Fact]
    public async Task No_proxy_exempts_a_host()
    {
        await using var proxy = new ForwardProxy();
        await using var gateway = await StartAsync(proxy, "Proxy:Address={address}", $"NO_PROXY=nowhere.example, {Upstreams.Paymentwall.Authority}");

        await gateway.CompleteAsync(Catalog);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(ToPaymentwall)).Status);

        Assert.Contains(Tunnel(Upstreams.Billing), proxy.Passed);
        Assert.DoesNotContain(Tunnel(Upstreams.Paymentwall), proxy.Passed);
    }

    [Theory]
    [InlineData("proxyAuthenticationRequired", "HTTPS_PROXY={address}")]
    [InlineData("proxyAuthenticationRequired", "HTTPS_PROXY={address}", "Proxy:User=" + ForwardProxy.User, "Proxy:Password=another-egress-password")]
    [InlineData("proxyConnectionRefused", "Proxy:Address=http://localhost:1")]
    [InlineData("proxyNameNotResolved", "Proxy:Address=http://nowhere.invalid:3128")]
    public async Task What_the_proxy_refuses_is_named_in_log_and_health_details(string cause, params string[] settings)
    {
        await using var proxy = new ForwardProxy(wantsCredentials: true);
        await using var gateway = await StartAsync(proxy, settings);

        Assert.Equal("tokenUnavailable", (await gateway.GetAsync(Catalog)).Code);
        Assert.Equal("upstreamUnreachable", (await gateway.GetAsync(ToPaymentwall)).Code);

        await gateway.LogLineAsync($"\"Reason\":\"{cause}\"");
        await gateway.LogLineAsync($"\"Cause\":\"{cause}\"");
        var details = (await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json;
        Assert.Equal(cause, (string?)details["upstreams"]!["authorization"]!["lastFailureCause"]);
        AssertUnseen(gateway);
        Assert.DoesNotContain("another-egress-password", gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_behind_the_proxy_is_told_from_what_the_proxy_refuses()
    {
        await using var proxy = new ForwardProxy();
        await using var gateway = await StartAsync(proxy, "Proxy:Address={address}", "Billing:BaseAddress=https://forbidden.example.com/", "Paymentwall:BaseAddress=https://localhost:1/");

        Assert.Equal("upstreamUnreachable", (await gateway.GetAsync(Catalog)).Code);
        Assert.Equal("upstreamUnreachable", (await gateway.GetAsync(ToPaymentwall)).Code);

        await gateway.LogLineAsync("proxyRefused");
        await gateway.LogLineAsync("unreachableBehindProxy");
    }

    [Fact]
    public async Task Plain_http_goes_through_it_in_the_absolute_form_with_a_body_and_without_the_credentials_behind_it()
    {
        await using var proxy = new ForwardProxy(wantsCredentials: true);
        await using var upstream = new RawUpstream(async (_, connection) =>
        {
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray(), TestContext.Current.CancellationToken);
            return false;
        });
        await using var gateway = await StartAsync(proxy, [.. Route(upstream), "HTTP_PROXY={credentials}"]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/plain/thing") { Content = new StringContent("a body") };
        request.Headers.Add("X-Api-Key", GatewayProcess.ProxyKey);

        var answer = await gateway.SendAsync(request, CancellationToken.None);

        Assert.Equal((HttpStatusCode.OK, "ok"), (answer.Status, answer.Body));
        Assert.Equal([$"POST {upstream.Address}plain/thing"], proxy.Passed);
        Assert.DoesNotContain("Proxy-", Assert.Single(upstream.Received), StringComparison.OrdinalIgnoreCase);
        AssertUnseen(gateway);
    }

    [Fact]
    public async Task A_proxy_that_refuses_plain_http_is_not_taken_for_the_upstream()
    {
        await using var proxy = new ForwardProxy(wantsCredentials: true);
        await using var upstream = new RawUpstream((_, _) => Task.FromResult(false));
        await using var gateway = await StartAsync(proxy, [.. Route(upstream), "HTTP_PROXY={address}"]);

        var answer = await gateway.GetAsync("/plain/thing", ("X-Api-Key", GatewayProcess.ProxyKey));

        Assert.Equal((HttpStatusCode.BadGateway, "upstreamUnreachable"), (answer.Status, answer.Code));
        await gateway.LogLineAsync("\"Cause\":\"proxyAuthenticationRequired\"");
        Assert.Empty(upstream.Received);
    }

    [Fact]
    public async Task Neither_the_collector_nor_Redis_is_behind_it()
    {
        await using var proxy = new ForwardProxy();
        await using var collector = await OtlpReceiver.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await StartAsync(
            proxy, [.. collector.Settings.Concat(redis.GatewaySettings).Select(pair => $"{pair.Key}={pair.Value}"), "Proxy:Address={address}"]);

        await gateway.RedisIsUpAsync();
        await gateway.CompleteAsync(Catalog);

        await GatewayProcess.EventuallyAsync(() => Task.FromResult(collector.Traces.Contains("catalog", StringComparison.Ordinal)), TimeSpan.FromSeconds(15));
        await gateway.StopAsync();
        Assert.NotEmpty(proxy.Passed);
        Assert.All(proxy.Passed, passed => Assert.Contains(passed, new[] { Upstreams.Authority, Upstreams.Billing, Upstreams.Paymentwall }.Select(Tunnel)));
    }

    [Theory]
    [InlineData("HTTPS_PROXY: stands in quotes", "HTTPS_PROXY=\"http://user:s3cret@proxy:3128\"")]
    [InlineData("HTTPS_PROXY: has no scheme", "HTTPS_PROXY=user:s3cret@proxy:3128")]
    [InlineData("HTTP_PROXY: ends with a line end", "HTTP_PROXY=http://user:s3cret@proxy:3128\r")]
    [InlineData("Proxy:Address: begins or ends with a blank", "Proxy:Address=http://user:s3cret@proxy:3128 ")]
    [InlineData("NO_PROXY: stands in quotes", "NO_PROXY='localhost'")]
    public async Task A_value_that_cannot_be_read_is_an_error_at_start_and_not_no_proxy(string expected, params string[] settings)
    {
        var (code, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(simulator: null, [.. settings.Select(Pair)]));

        Assert.Equal(1, code);
        Assert.Contains("  " + expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
    }

    private static string[] Route(RawUpstream upstream) =>
    [
        "ReverseProxy:Clusters:plain:Destinations:one:Address=" + upstream.Address, "ReverseProxy:Routes:plain:ClusterId=plain",
        "ReverseProxy:Routes:plain:AuthorizationPolicy=proxy", "ReverseProxy:Routes:plain:Match:Path=/plain/{**rest}",
    ];

    private static string Tunnel(Uri upstream) => "CONNECT " + upstream.Authority;

    private static void AssertUnseen(GatewayProcess gateway)
    {
        var seen = gateway.Log + string.Join('\n', gateway.Answers.Select(answer => string.Join('\n', answer.Headers.Values) + answer.Body));
        Assert.DoesNotContain(ForwardProxy.User, seen, StringComparison.Ordinal);
        Assert.DoesNotContain(ForwardProxy.Password, seen, StringComparison.Ordinal);
        Assert.DoesNotContain(Uri.EscapeDataString(ForwardProxy.Password), seen, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{ForwardProxy.User}:{ForwardProxy.Password}")), seen, StringComparison.Ordinal);
    }

    private static (string Key, string Value) Pair(string setting) =>
        (setting[..setting.IndexOf('=', StringComparison.Ordinal)], setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..]);

    /// <summary>At its most talkative.</summary>
    private Task<GatewayProcess> StartAsync(ForwardProxy proxy, params string[] settings) => GatewayProcess.StartAsync(
        Upstreams,
        [
            ("Serilog:MinimumLevel:Default", "Verbose"), ("Serilog:MinimumLevel:Override:System", "Verbose"), ("Serilog:MinimumLevel:Override:Yarp", "Verbose"),
            ("Catalog:SkuMap:builtfor_example-setup-EUR-once", string.Empty),
            .. settings.Select(Pair).Select(pair => (pair.Key, pair.Value
                .Replace("{address}", proxy.Address, StringComparison.Ordinal)
                .Replace("{credentials}", proxy.AddressWithCredentials, StringComparison.Ordinal))),
        ]);

    /// <summary>One for all cases.</summary>
    public sealed class Simulator : IAsyncLifetime
    {
        internal SimulatorProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await SimulatorProcess.StartAsync("--Simulator:Https=true");

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
