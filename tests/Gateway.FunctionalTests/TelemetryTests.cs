using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>What a collector is told, and what a client is told of where the time went.</summary>
public sealed class TelemetryTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Caller = "00f067aa0ba902b7";

    /// <summary>
    /// How far two clocks may be apart that measure the same thing in one process, a span and a timeline; and how much too early the
    /// simulator's timer may be, which goes by the system's coarse clock (4 ms on many machines).
    /// </summary>
    private static readonly TimeSpan FewMilliseconds = TimeSpan.FromMilliseconds(5);

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_cold_catalog_of_twelve_components_says_what_its_client_waited_for()
    {
        await using var gateway = await stack.StartGatewayAsync(("Redis:KeyPrefix", $"trace-{Guid.NewGuid():N}"));
        await gateway.RedisIsUpAsync();
        await TwelveComponentsAsync();

        // Calls of different lengths, side by side.
        await stack.Simulator.FaultAsync("billing", new { latencyMs = 120 });
        await stack.Simulator.FaultAsync("authorization", new { match = "token", latencyMs = 80 });
        await stack.Simulator.FaultAsync("paymentwall", new object[] { new { match = "twelve-03", latencyMs = 200 }, new { match = "twelve-07", latencyMs = 90 }, new { latencyMs = 30 } });
        var started = TimeProvider.System.GetTimestamp();
        var answer = await gateway.GetAsync("/catalog/twelve?country=FR");
        var waited = TimeProvider.System.GetElapsedTime(started);
        Assert.Equal((HttpStatusCode.OK, 12), (answer.Status, answer.Items.Count));

        var told = ServerTiming.Parse(answer.Header("Server-Timing")!).ToDictionary(metric => metric.Name, metric => metric.Duration!.Value);
        Assert.Equal(["token", "billing", "paymentwall", "cache", "gateway"], told.Keys);

        // Never shorter than what the simulator was told to take; the union of parallel calls, not their sum.
        Assert.True(told["token"] >= AtLeast(80) && told["billing"] >= AtLeast(120), answer.Header("Server-Timing"));
        Assert.InRange(told["paymentwall"], AtLeast(200), TimeSpan.FromMilliseconds(200 + 90 + (10 * 30) - 1));

        // What is left is the gateway's own, and all of it together is no more than the whole, but for phases that overlap.
        Assert.InRange(told["gateway"], TimeSpan.Zero, waited - AtLeast(80 + 120 + 200));
        Assert.True(told["gateway"] + told["token"] + told["billing"] + told["paymentwall"] <= waited + FewMilliseconds, answer.Header("Server-Timing"));
    }

    [Fact]
    public async Task A_ready_answer_says_so_and_a_failure_says_where_its_time_went()
    {
        await stack.Gateway.GetAsync("/catalog/builtfor_example?country=JP");
        var ready = await stack.Gateway.GetAsync("/catalog/builtfor_example?country=JP");
        var same = await stack.Gateway.GetAsync("/catalog/builtfor_example?country=JP", ("If-None-Match", ready.Header("ETag")!));
        await stack.Simulator.FaultAsync("billing", new { status = 403, latencyMs = 60 });
        var failed = await stack.Gateway.GetAsync("/catalog/shipping_example?country=JP");

        Assert.Equal("cache;desc=\"hit\"", ready.Header("Server-Timing"));
        Assert.Equal((HttpStatusCode.NotModified, "cache;desc=\"hit\""), (same.Status, same.Header("Server-Timing")));
        Assert.Equal(HttpStatusCode.BadGateway, failed.Status);
        Assert.True(ServerTiming.Parse(failed.Header("Server-Timing")!).Single(metric => metric.Name == "billing").Duration >= AtLeast(60));
    }

    [Fact]
    public async Task Who_joins_a_load_under_way_is_told_of_what_is_left_of_it()
    {
        await TwelveComponentsAsync();
        await stack.Gateway.GetAsync("/catalog/builtfor_example?country=JP");
        await stack.Simulator.FaultAsync("billing", new { latencyMs = 400 });

        // Two questions, one list of components.
        var first = stack.Gateway.GetAsync("/catalog/twelve?country=FR");
        await GatewayProcess.EventuallyAsync(
            async () => (await stack.Simulator.ReceivedAsync("billing")).Any(request => request.Path.Contains("twelve", StringComparison.Ordinal)), TimeSpan.FromSeconds(5));
        var second = await stack.Gateway.GetAsync("/catalog/twelve?country=DE");

        var (whole, rest) = (Billing(await first), Billing(second));
        Assert.True(whole >= AtLeast(400) && rest > TimeSpan.Zero && rest < whole, $"{whole} and {rest}");
        Assert.Equal(1, (await stack.Simulator.ReceivedAsync("billing")).Count(request => request.Path.Contains("twelve", StringComparison.Ordinal)));

        static TimeSpan Billing(Answer answer) => ServerTiming.Parse(answer.Header("Server-Timing")!).Single(metric => metric.Name == "billing").Duration!.Value;
    }

    /// <summary>The smoke test of the export: that bytes arrive, also the last ones, and what must not be in them.</summary>
    [Fact]
    public async Task Traces_and_metrics_arrive_with_nothing_secret_and_what_is_left_is_sent_at_the_end()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using (var gateway = await stack.StartGatewayAsync([.. receiver.Settings, ("OTEL_BSP_SCHEDULE_DELAY", "60000"), ("Redis:KeyPrefix", "secret-spans")]))
        {
            await gateway.RedisIsUpAsync();
            await gateway.GetAsync("/catalog/builtfor_example?country=JP&secret=in-the-query", ("traceparent", $"00-{TraceId}-{Caller}-01"));
            await gateway.GetAsync("/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly");
            await gateway.GetAsync("/billing/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey));
            await GatewayProcess.EventuallyAsync(() => Task.FromResult(receiver.Metrics.Contains("gateway.catalog.answers", StringComparison.Ordinal)), TimeSpan.FromSeconds(15));
            Assert.DoesNotContain("GET /", receiver.Traces, StringComparison.Ordinal);
        }

        string[] spans =
        [
            "GET /catalog/{productId}", "GET /paymentwall/", "GET /billing/", "catalog", "billing", "paymentwall", "token", "EVAL",
            OtlpReceiver.Bytes(TraceId), OtlpReceiver.Bytes(Caller), "/v1/products/builtfor_example/components", "/oauth2/token", "service.name",
        ];
        Assert.All(spans, text => Assert.Contains(text, receiver.Traces, StringComparison.Ordinal));
        string[] metrics =
        [
            "gateway.upstream.duration", "gateway.cache.lookups", "gateway.token.renewals", "gateway.catalog.answers", "gateway.catalog.phase.duration",
            "gateway.redis.duration", "gateway.upstream.circuit.state", "gateway.upstream.failing", "gateway.redis.up", "gateway.token.remaining", "gateway.cache.size",
            "http.server.request.duration", "dotnet.process.memory.working_set", "service.instance.id",
        ];
        Assert.All(metrics, text => Assert.Contains(text, receiver.Metrics, StringComparison.Ordinal));
        Assert.DoesNotContain("/health", receiver.Traces, StringComparison.Ordinal);
        foreach (var everything in new[] { receiver.Traces, receiver.Metrics })
        {
            LeakScanner.AssertNone(everything);
            Assert.DoesNotContain("in-the-query", everything, StringComparison.Ordinal);
            Assert.DoesNotContain("sign=", everything, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("true", false)]
    [InlineData("false", true)]
    [InlineData("true", true)]
    public async Task Upstreams_are_told_the_trace_only_if_that_is_switched_on(string propagate, bool exports)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var gateway = await stack.StartGatewayAsync(
            [("Hosting:PropagateTraceContext", propagate), ("Redis:ConnectionString", string.Empty), .. exports ? receiver.Settings : []]);
        await gateway.GetAsync("/catalog/builtfor_example?country=JP", ("traceparent", $"00-{TraceId}-{Caller}-01"), ("baggage", "customer=of-the-caller"));
        await gateway.GetAsync("/billing/v1/products/builtfor_example/components", ("traceparent", $"00-{TraceId}-{Caller}-01"), ("baggage", "customer=of-the-caller"));

        ReceivedRequest[] received = [.. await stack.Simulator.ReceivedAsync("billing"), .. await stack.Simulator.ReceivedAsync("paymentwall")];
        Assert.True(received.Length > 5);
        Assert.All(received, request => Assert.Equal(propagate == "true", request.Header("traceparent")?.Contains(TraceId, StringComparison.Ordinal) ?? false));
        ReceivedRequest[] all = [.. received, .. await stack.Simulator.ReceivedAsync("authorization")];
        Assert.All(await stack.Simulator.ReceivedAsync("authorization"), request => Assert.Null(request.Header("traceparent")));
        Assert.All(all, request => Assert.Null(request.Header("baggage")));
    }

    [Fact]
    public async Task What_an_upstream_is_told_is_a_span_of_the_trace()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var gateway = await stack.StartGatewayAsync([.. receiver.Settings, ("Hosting:PropagateTraceContext", "true"), ("Redis:ConnectionString", string.Empty)]);
        await gateway.GetAsync("/catalog/builtfor_example?country=JP", ("traceparent", $"00-{TraceId}-{Caller}-01"));
        await gateway.GetAsync("/billing/v1/products/builtfor_example/components", ("traceparent", $"00-{TraceId}-{Caller}-01"));

        ReceivedRequest[] received = [.. await stack.Simulator.ReceivedAsync("billing"), .. await stack.Simulator.ReceivedAsync("paymentwall")];
        var told = received.Select(request => request.Header("traceparent")!.Split('-')[2]).ToHashSet(StringComparer.Ordinal);
        await GatewayProcess.EventuallyAsync(
            () => Task.FromResult(told.All(span => receiver.Traces.Contains(OtlpReceiver.Bytes(span), StringComparison.Ordinal))), TimeSpan.FromSeconds(15));
        LeakScanner.AssertNone(receiver.Traces);
    }

    [Fact]
    public async Task Problem_and_log_agree_on_the_trace()
    {
        var answer = await stack.Gateway.GetAsync("/catalog?country=nowhere", ("traceparent", $"00-{TraceId}-{Caller}-01"));
        var line = await stack.Gateway.LogLineAsync(TraceId);

        Assert.Equal(TraceId, (string?)answer.Json["traceId"]);
        Assert.Contains("\"StatusCode\":400", line, StringComparison.Ordinal);
    }

    private Task TwelveComponentsAsync() => stack.Simulator.ComponentsAsync("twelve", $$"""{"items":[{{string.Join(',', Enumerable.Range(0, 12).Select(n =>
        string.Create(CultureInfo.InvariantCulture, $$"""{"id":"twelve-{{n:00}}","status":"active","componentType":"plan"}""")))}}]}""");

    private static TimeSpan AtLeast(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds) - FewMilliseconds;
}
