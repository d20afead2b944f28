using System.Diagnostics;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Tests.Catalog;
using Gateway.Tests.Configuration;
using Gateway.Tests.Egress;
using Gateway.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Gateway.Tests.Observability;

/// <summary>What is exported, by an exporter that keeps it in memory.</summary>
public sealed class OpenTelemetryExportTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Caller = "00f067aa0ba902b7";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_and_the_calls_it_makes_are_one_trace_without_a_query(bool propagates)
    {
        var (spans, metrics) = (new List<Activity>(), new List<MetricSnapshot>());
        var told = new List<string?>();
        await using var server = Server(spans, metrics);
        using var handler = UpstreamTransport.CreateHandler(
            EgressProxyTests.None,
            propagates ? new TraceContext(Fixed.Options(new HostingOptions { PropagateTraceContext = true })).Outbound : DistributedContextPropagator.CreateNoOutputPropagator());
        using var client = new HttpMessageInvoker(handler);
        server.MapGet("/catalog/{productId}", async (HttpContext context) =>
        {
            using var upstream = new HttpRequestMessage(HttpMethod.Get, $"http://{context.Request.Host}/price?key=the-key&sign=the-signature");
            using var answer = await client.SendAsync(upstream, context.RequestAborted);
        });
        server.MapGet("/price", (HttpContext context) =>
        {
            told.Add(context.Request.Headers.TraceParent);
            Assert.False(context.Request.Headers.ContainsKey("baggage"));
            return Results.StatusCode(StatusCodes.Status403Forbidden);
        });
        server.MapGet("/health/ready", () => "ready");
        await server.StartAsync(TestContext.Current.CancellationToken);
        using var caller = new HttpMessageInvoker(UpstreamTransport.CreateHandler(EgressProxyTests.None));
        foreach (var path in new[] { "/health/ready", "/catalog/a?country=FR&secret=in-the-query" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, server.Urls.Single() + path);
            request.Headers.Add("traceparent", $"00-{TraceId}-{Caller}-01");
            request.Headers.Add("baggage", "customer=of-the-caller");
            using var answer = await caller.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode);
        }

        await server.StopAsync(TestContext.Current.CancellationToken);

        var catalog = Assert.Single(spans, span => span.DisplayName == "GET /catalog/{productId}");
        Assert.Equal((ActivityKind.Server, TraceId, Caller), (catalog.Kind, catalog.TraceId.ToHexString(), catalog.ParentSpanId.ToHexString()));
        Assert.Equal(("/catalog/{productId}", 200), (catalog.GetTagItem("http.route"), catalog.GetTagItem("http.response.status_code")));
        var call = Assert.Single(spans, span => span.Kind == ActivityKind.Client);
        Assert.Equal((catalog.SpanId, "GET", 403), (call.ParentSpanId, call.GetTagItem("http.request.method"), call.GetTagItem("http.response.status_code")));
        Assert.Equal(server.Urls.Single() + "/price", call.GetTagItem("url.full"));
        Assert.Equal(propagates ? $"00-{TraceId}-{call.SpanId.ToHexString()}-01" : null, Assert.Single(told));

        var everything = string.Join('\n', spans.SelectMany(span => span.TagObjects.Select(tag => $"{tag.Key}={tag.Value}").Append(span.DisplayName)));
        Assert.DoesNotContain("health", everything, StringComparison.Ordinal);
        Assert.DoesNotContain("query", everything, StringComparison.Ordinal);
        Assert.DoesNotContain("the-", everything, StringComparison.Ordinal);
        Assert.Contains(metrics, metric => (metric.Name, metric.Unit) == ("http.server.request.duration", "s"));
        Assert.Contains(metrics, metric => metric.Name == "dotnet.process.memory.working_set");
    }

    [Fact]
    public async Task A_cold_catalog_is_a_span_and_so_is_everything_that_it_waits_for()
    {
        var spans = new List<Activity>();
        using var provider = Sdk.CreateTracerProviderBuilder().AddSource(Metrics.Name).AddInMemoryExporter(spans).Build();
        using var test = new CatalogUnderTest();

        await test.AskAsync();
        var catalog = Assert.Single(spans, span => span.DisplayName == "catalog");
        Assert.Equal((2, true), (catalog.GetTagItem("gateway.catalog.items"), catalog.GetTagItem("gateway.catalog.complete")));
        Assert.Equal(
            ["billing", "paymentwall", "paymentwall", "token"],
            spans.Where(span => span.ParentSpanId == catalog.SpanId && span.Status == ActivityStatusCode.Unset).Select(span => span.DisplayName).Order(StringComparer.Ordinal));
        Assert.Equal(5, spans.Count);

        // A ready answer has no span beside the server's, and a failure says what it was.
        await test.AskAsync();
        Assert.Equal(5, spans.Count);
        test.Paymentwall.Status = System.Net.HttpStatusCode.Forbidden;
        await test.AskAsync(Given.Request() with { Country = "FR" });
        Assert.Equal(2, spans.Count(span => span.DisplayName == "paymentwall" && span.Status == ActivityStatusCode.Error && Equals(span.GetTagItem("error.type"), "rejected")));
    }

    private static WebApplication Server(List<Activity> spans, List<MetricSnapshot> metrics)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        OpenTelemetryExport.AddInstruments(builder.Services);
        builder.Services.ConfigureOpenTelemetryTracerProvider(provider => provider.AddInMemoryExporter(spans));
        builder.Services.ConfigureOpenTelemetryMeterProvider(provider => provider.AddInMemoryExporter(metrics));
        return builder.Build();
    }
}
