using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>What the front door does for every request, and what it refuses.</summary>
public sealed class HardeningTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";
    private const string Proxied = "/billing/v1/products/builtfor_example/components";
    private const string ProxiedPrice = "/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Forwarded_calls_give_way_before_the_catalog_does_and_a_ready_answer_never()
    {
        // Patient with a busy machine: what hangs here must not time out before it is let go.
        await using var gateway = await stack.StartGatewayAsync(
            ("Security:MaxConcurrentRequests", "4"), ("Catalog:Deadline", "00:00:25"), ("Billing:Timeout", "00:00:20"), ("Billing:AttemptTimeout", "00:00:20"),
            ("Paymentwall:Timeout", "00:00:20"), ("Paymentwall:AttemptTimeout", "00:00:20"));
        await gateway.CompleteAsync(Catalog);
        await stack.Simulator.FaultAsync("billing", new { hang = true });
        await stack.Simulator.FaultAsync("paymentwall", new { hang = true });
        async Task<int> ReceivedAsync(string upstream) => (await stack.Simulator.ReceivedAsync(upstream)).Count;
        var (billing, paymentwall) = (await ReceivedAsync("billing"), await ReceivedAsync("paymentwall"));

        // Two forwarded calls have all that those to one upstream may have, three all that forwarded calls may have; a catalog answer
        // takes what is left.
        var hanging = Enumerable.Range(0, 2).Select(_ => gateway.GetAsync(Proxied)).ToList();
        await GatewayProcess.EventuallyAsync(async () => await ReceivedAsync("billing") >= billing + 2, TimeSpan.FromSeconds(10));
        var refused = await gateway.GetAsync(Proxied);
        hanging.Add(gateway.GetAsync(ProxiedPrice));
        await GatewayProcess.EventuallyAsync(async () => await ReceivedAsync("paymentwall") > paymentwall, TimeSpan.FromSeconds(10));
        var refusedPrice = await gateway.GetAsync(ProxiedPrice);
        var cold = gateway.GetAsync("/catalog/shipping_example?country=JP");
        await GatewayProcess.EventuallyAsync(async () => await ReceivedAsync("billing") >= billing + 3, TimeSpan.FromSeconds(10));

        // Nothing is left: another cold answer waits a moment and is refused, a ready one is served.
        var coldest = await gateway.GetAsync("/catalog/reviews_example?country=JP");
        var ready = await gateway.GetAsync(Catalog);
        var health = await gateway.GetAsync("/health/ready");
        await stack.Simulator.ClearFaultsAsync();

        Assert.All([refused, refusedPrice], answer => Assert.Equal((HttpStatusCode.ServiceUnavailable, "overloaded"), (answer.Status, answer.Code)));
        Assert.NotNull(refused.Header("Retry-After"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "overloaded"), (coldest.Status, coldest.Code));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (ready.Status, health.Status));
        Assert.All(await Task.WhenAll([.. hanging, cold]), answer => Assert.True(answer.Status == HttpStatusCode.OK, answer.Body));

        // And the slots are free again, a moment after the answers.
        await GatewayProcess.EventuallyAsync(async () => (await gateway.GetAsync(Proxied)).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(5));
        await GatewayProcess.EventuallyAsync(async () => (await gateway.GetAsync("/catalog/reviews_example?country=JP")).Status == HttpStatusCode.OK, TimeSpan.FromSeconds(5));
    }

    /// <summary>
    /// Was: a request that was cancelled gave its slot back while all its loads went on: thousands in progress, and another customer
    /// waited behind them.
    /// </summary>
    [Fact]
    public async Task Clients_that_ask_and_leave_at_once_leave_no_work_behind()
    {
        const int AtOnce = 40, InAll = 1_000, Slots = 64;
        await using var gateway = await stack.StartGatewayAsync(("Redis:ConnectionString", string.Empty), ("Paymentwall:MaxConcurrency", "64"));
        var components = (await gateway.GetAsync("/catalog/builtfor_example?country=US")).Items.Count;
        await stack.Simulator.FaultAsync("paymentwall", new { latencyMs = 700 });
        string[] letters = [.. Enumerable.Range('A', 26).Select(letter => ((char)letter).ToString())];
        string[] countries = [.. letters.SelectMany(first => letters.Select(second => first + second))];
        using var client = new HttpClient { BaseAddress = gateway.Address };
        var (most, asked) = (0L, 0);
        using var over = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                most = Math.Max(most, (long)(await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json["cache"]!["loading"]!);
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (Interlocked.Increment(ref asked) is var turn && turn <= InAll)
            {
                // Two letters that are no country get a 400; the rest are cold questions.
                using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(60), TimeProvider.System);
                try
                {
                    using var answer = await client.GetAsync(
                        new Uri($"/catalog/builtfor_example?country={countries[turn % countries.Length]}&lang={(turn < countries.Length ? "en" : "de")}", UriKind.Relative), leaving.Token);
                }
                catch (OperationCanceledException)
                {
                    // It has left.
                }
            }
        }));

        // What is left are the calls under way, and they end.
        await GatewayProcess.EventuallyAsync(
            async () => (long)(await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json["cache"]!["loading"]! == 0, TimeSpan.FromSeconds(10));
        await over.CancelAsync();
        await watching;
        Assert.InRange(most, 1, Slots + (2 * AtOnce * components));
        Assert.Equal(0, (int)(await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json["requests"]!["waiting"]!);
        await stack.Simulator.ClearFaultsAsync();
        Assert.True((bool)(await gateway.GetAsync("/catalog/builtfor_example?country=US&lang=fr")).Json["completeness"]!["complete"]!);
    }

    [Fact]
    public async Task A_catalog_answer_made_of_what_is_in_memory_needs_no_slot_either()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Security:MaxConcurrentRequests", "1"), ("Catalog:FreshFor", "00:00:01"), ("Redis:ConnectionString", string.Empty));
        await gateway.CompleteAsync(Catalog);
        await stack.Simulator.FaultAsync("billing", new { hang = true });
        var hanging = gateway.GetAsync("/catalog/shipping_example?country=JP");
        await GatewayProcess.EventuallyAsync(
            async () => (await stack.Simulator.ReceivedAsync("billing")).Any(request => request.Path.Contains("shipping_example", StringComparison.Ordinal)), TimeSpan.FromSeconds(5));

        // Its freshness ends while the only slot is taken: it is put together anew, of what is in memory.
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                var answer = await gateway.GetAsync(Catalog);
                Assert.Equal(HttpStatusCode.OK, answer.Status);
                return answer.Header("Server-Timing")!.Contains("gateway;dur", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(5));
        await stack.Simulator.ClearFaultsAsync();
        await hanging;
    }

    [Fact]
    public async Task A_request_line_or_headers_beyond_their_limits_are_the_servers_414_and_431()
    {
        Assert.StartsWith("HTTP/1.1 414", await RawAsync($"GET /catalog?product={new string('a', 9_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 431", await RawAsync($"GET /catalog HTTP/1.1\r\nHost: localhost\r\nX-Long: {new string('a', 40_000)}\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 431",
            await RawAsync($"GET /catalog HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 101).Select(n => $"X-{n}: a\r\n"))}\r\n"),
            StringComparison.Ordinal);
    }

    private async Task<string> RawAsync(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, stack.Gateway.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        var buffer = new byte[1024];
        return Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer, TestContext.Current.CancellationToken));
    }
}
