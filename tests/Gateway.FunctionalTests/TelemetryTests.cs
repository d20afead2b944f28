using System.Diagnostics;
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
    public async Task A_cold_catalog_of_twelve_components_is_one_trace_and_its_critical_path_is_what_the_client_is_told()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var gateway = await stack.StartGatewayAsync([.. receiver.Settings, ("Redis:KeyPrefix", $"trace-{Guid.NewGuid():N}")]);
        await gateway.RedisIsUpAsync();
        await TwelveComponentsAsync();

        // Calls of different lengths, side by side.
        await stack.Simulator.FaultAsync("billing", new { latencyMs = 120 });
        await stack.Simulator.FaultAsync("authorization", new { match = "token", latencyMs = 80 });
        await stack.Simulator.FaultAsync("paymentwall", new object[] { new { match = "twelve-03", latencyMs = 200 }, new { match = "twelve-07", latencyMs = 90 }, new { latencyMs = 30 } });
        var answer = await gateway.GetAsync("/catalog/twelve?country=FR", ("traceparent", $"00-{TraceId}-{Caller}-01"));
        Assert.Equal((HttpStatusCode.OK, 12), (answer.Status, answer.Items.Count));

        var spans = await receiver.TraceAsync(TraceId, found => found.Count(span => span.Name == "paymentwall") == 12, Caller);
        var server = Assert.Single(spans, span => span.Kind == ActivityKind.Server);
        var catalog = Assert.Single(spans, span => span.Name == "catalog");
        var token = Assert.Single(spans, span => span.Name == "token");
        var billing = Assert.Single(spans, span => span.Name == "billing");
        var prices = spans.Where(span => span.Name == "paymentwall").ToList();
        Assert.Equal(("GET /catalog/{productId}", Caller), (server.Name, server.ParentSpanId));
        Assert.True(server.Has("http.route", "/catalog/{productId}") && server.Has("http.response.status_code", 200L) && server.Has("gateway.catalog.cache", "loaded"));
        Assert.Equal(server.SpanId, catalog.ParentSpanId);
        Assert.All([token, billing, .. prices], span => Assert.Equal((catalog.SpanId, ActivityKind.Client), (span.ParentSpanId, span.Kind)));
        Assert.All([billing, .. prices], span => Assert.True(span.Has("http.response.status_code", 200L), span.ToString()));
        Assert.All(spans.Where(span => span.Has("db.system.name", "redis")), span => Assert.Equal(ActivityKind.Client, span.Kind));
        Assert.Contains(spans, span => span.Name == "EVAL");

        var told = ServerTiming.Parse(answer.Header("Server-Timing")!).ToDictionary(metric => metric.Name, metric => metric.Duration!.Value);
        Assert.Equal(["token", "billing", "paymentwall", "cache", "gateway"], told.Keys);

        // Never shorter than what the simulator was told to take; the union of parallel calls, not their sum.
        Assert.True(told["token"] >= AtLeast(80) && told["billing"] >= AtLeast(120), answer.Header("Server-Timing"));
        Assert.InRange(told["paymentwall"], AtLeast(200), TimeSpan.FromMilliseconds(200 + 90 + (10 * 30) - 1));
        AssertClose(CriticalPath.Union(prices.Select(span => span.Time)), told["paymentwall"]);
        AssertClose(billing.Time.Length, told["billing"]);
        Assert.InRange(token.Time.Length, AtLeast(80), told["token"] + FewMilliseconds);

        // And what is left is the gateway's own, all of it together the whole.
        var upstream = CriticalPath.Union([.. prices.Select(span => span.Time), billing.Time]);
        Assert.InRange(told["gateway"], TimeSpan.Zero, catalog.Time.Length - upstream - told["token"] + FewMilliseconds);
        Assert.True(told["gateway"] + told["token"] + told["billing"] + told["paymentwall"] + told["cache"] >= catalog.Time.Length - FewMilliseconds);
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

    [Fact]
    public async Task Every_metric_is_told_with_its_unit()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var gateway = await stack.StartGatewayAsync(
            [.. receiver.Settings, ("Redis:KeyPrefix", $"metrics-{Guid.NewGuid():N}"), ("Hosting:WarmRequestLogSampling", "1")]);
        await gateway.RedisIsUpAsync();
        await TwelveComponentsAsync();
        await gateway.GetAsync("/catalog/twelve?country=FR");
        await gateway.GetAsync("/catalog/twelve?country=FR");

        var paymentwall = await receiver.MetricAsync("gateway.upstream.duration", point => point.Has("upstream", "paymentwall") && point.Has("outcome", "ok") && point.Histogram!.Count == 12);
        Assert.Equal(("s", OtlpMetricType.Histogram), (paymentwall.Unit, paymentwall.Type));
        await receiver.MetricAsync("gateway.upstream.duration", point => point.Has("upstream", "billing") && point.Histogram!.Count == 1);
        await receiver.MetricAsync("gateway.upstream.duration", point => point.Has("upstream", "authorization") && point.Histogram!.Count == 1);
        await receiver.MetricAsync("gateway.upstream.in_flight", point => point.Has("upstream", "paymentwall") && point.Value == 0);
        await receiver.MetricAsync("gateway.cache.lookups", point => point.Has("cache", "price") && point.Has("result", "miss") && point.Value == 12);
        await receiver.MetricAsync("gateway.token.renewals", point => point.Has("result", "obtained") && point.Value == 1);
        await receiver.MetricAsync("gateway.catalog.answers", point => point.Has("completeness", "complete") && point.Has("cache", "loaded") && point.Value == 1);
        await receiver.MetricAsync("gateway.catalog.answers", point => point.Has("completeness", "complete") && point.Has("cache", "ready") && point.Value == 1);
        await receiver.MetricAsync("gateway.catalog.phase.duration", point => point.Has("phase", "gateway") && point.Histogram!.Count == 1);
        await receiver.MetricAsync("gateway.redis.duration", point => point.Has("outcome", "ok"));
        await receiver.MetricAsync("gateway.upstream.circuit.state", point => point.Has("upstream", "billing") && point.Value == 0);
        await receiver.MetricAsync("gateway.upstream.failing", point => point.Has("upstream", "authorization") && point.Value == 0);
        await receiver.MetricAsync("gateway.redis.up", point => point.Value == 1);
        await receiver.MetricAsync("gateway.token.remaining", point => point.Value > 3_000);
        await receiver.MetricAsync("gateway.cache.size", point => point.Value > 1_000 && point.Unit == "By");
        await receiver.MetricAsync("gateway.price_drift.items", point => point.Value == 0);
        await receiver.MetricAsync("http.server.request.duration", point => point.Has("http.route", "/catalog/{productId}") && point.Histogram!.Count == 2);
        await receiver.MetricAsync("dotnet.process.memory.working_set", point => point.Value > 0);
        Assert.Empty(receiver.Rejections);
        Assert.All(receiver.Metrics, point => Assert.Equal("gateway", point.Resource["service.name"]));
    }

    [Fact]
    public async Task Nothing_secret_is_in_a_trace_and_what_is_left_is_sent_at_the_end()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using (var gateway = await stack.StartGatewayAsync([.. receiver.Settings, ("OTEL_BSP_SCHEDULE_DELAY", "60000"), ("Redis:KeyPrefix", "secret-spans")]))
        {
            await gateway.GetAsync("/catalog/builtfor_example?country=JP&secret=in-the-query");
            await gateway.GetAsync("/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly");
            await gateway.GetAsync("/billing/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey));
            Assert.DoesNotContain(receiver.Spans, span => span.Kind == ActivityKind.Server);
        }

        Assert.Equal(3, receiver.Spans.Count(span => span.Kind == ActivityKind.Server && span.Name.StartsWith("GET /", StringComparison.Ordinal) && !span.Name.Contains("health", StringComparison.Ordinal)));
        var everything = string.Join('\n', receiver.Spans.SelectMany(span => span.Attributes.Values.Append(span.Name).Append(span.StatusMessage)
            .Concat(span.Events.SelectMany(one => one.Attributes.Values))).Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));
        LeakScanner.AssertNone(everything);
        Assert.DoesNotContain("in-the-query", everything, StringComparison.Ordinal);
        Assert.DoesNotContain("sign=", everything, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task Upstreams_are_told_the_trace_only_if_that_is_switched_on(string propagate)
    {
        await using var gateway = await stack.StartGatewayAsync(("Hosting:PropagateTraceContext", propagate), ("Redis:ConnectionString", string.Empty));
        await gateway.GetAsync("/catalog/builtfor_example?country=JP", ("traceparent", $"00-{TraceId}-{Caller}-01"));
        await gateway.GetAsync("/billing/v1/products/builtfor_example/components", ("traceparent", $"00-{TraceId}-{Caller}-01"));

        ReceivedRequest[] received = [.. await stack.Simulator.ReceivedAsync("billing"), .. await stack.Simulator.ReceivedAsync("paymentwall")];
        Assert.True(received.Length > 5);
        Assert.All(received, request => Assert.Equal(propagate == "true", request.Header("traceparent")?.Contains(TraceId, StringComparison.Ordinal) ?? false));
        Assert.All(await stack.Simulator.ReceivedAsync("authorization"), request => Assert.Null(request.Header("traceparent")));
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
        await receiver.SpansAsync(spans => told.IsSubsetOf(spans.Select(span => span.SpanId)));
        LeakScanner.AssertNone(string.Join('\n', receiver.Spans.SelectMany(span => span.Attributes.Values)));
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

    private static void AssertClose(TimeSpan expected, TimeSpan actual) => Assert.InRange(actual, expected - FewMilliseconds, expected + FewMilliseconds);
}
