using System.Diagnostics;
using Gateway.Catalog;
using Gateway.Hosting.Observability;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Hosting.Observability;

public sealed class RequestLogTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder<RequestLog> _log = new();

    [Theory]
    [InlineData(0, "ready", 200, 0)]
    [InlineData(0, "ready", 304, 0)]
    [InlineData(0, "ready", 412, 100)]
    [InlineData(0, "cached", 200, 100)]
    [InlineData(0, "loaded", 200, 100)]
    [InlineData(0, "loaded", 304, 100)]
    [InlineData(1, "ready", 200, 100)]
    [InlineData(1, "ready", 304, 100)]
    public async Task Only_answers_that_were_ready_are_sampled(double sampling, string cache, int status, int expected)
    {
        for (var request = 0; request < 100; request++)
        {
            await AnswerAsync(sampling, status, CatalogFacts.Of(cache, "complete"));
        }

        Assert.Equal(expected, _log.Lines.Count);
    }

    [Fact]
    public async Task About_the_share_asked_for_is_written()
    {
        for (var request = 0; request < 10_000; request++)
        {
            await AnswerAsync(0.1, 200, CatalogFacts.Of(CatalogFacts.Ready, "complete"));
        }

        // Six standard deviations.
        Assert.InRange(_log.Lines.Count, 1_000 - 180, 1_000 + 180);
    }

    [Fact]
    public async Task A_request_is_one_line()
    {
        await AnswerAsync(0.01, 404, facts: null, path: "/nothing", query: "?key=secret");
        await AnswerAsync(0.01, 200, CatalogFacts.Of("loaded", "stale"), route: "/catalog/{productId}", took: TimeSpan.FromMilliseconds(12.34));

        Assert.Equal(
            [
                (5001, LogLevel.Information, "GET /nothing 404 in 0 ms, route "),
                (5002, LogLevel.Information, "GET /catalog/p 200 in 12.3 ms, loaded, stale, route /catalog/{productId}"),
            ],
            _log.Lines);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/Health/details")]
    public async Task Health_checks_are_for_debugging(string path)
    {
        await AnswerAsync(0, 200, facts: null, path: path);

        Assert.Equal(LogLevel.Debug, Assert.Single(_log.Lines).Level);
    }

    [Fact]
    public async Task What_breaks_is_written_and_passes_through()
    {
        var log = new RequestLog(_ => throw new InvalidOperationException("broken"), _time, Options.Create(new RequestLogOptions()), _log);

        await Assert.ThrowsAsync<InvalidOperationException>(() => log.InvokeAsync(Context("/x", "GET", route: null)));

        Assert.Single(_log.Lines);
    }

    [Fact]
    public async Task The_server_s_span_says_the_same_and_not_the_query()
    {
        using var span = Span(ActivityKind.Server);
        await AnswerAsync(0, 200, CatalogFacts.Of("ready", "complete"), route: "/catalog/{productId}", query: "?secret=1");

        Assert.Equal("GET /catalog/{productId}", span.DisplayName);
        Assert.Equal(
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["http.request.method"] = "GET",
                ["http.route"] = "/catalog/{productId}",
                ["http.response.status_code"] = 200,
                ["url.scheme"] = "http",
                ["url.path"] = "/catalog/p",
                ["gateway.catalog.cache"] = "ready",
                ["gateway.catalog.completeness"] = "complete",
            },
            span.TagObjects.ToDictionary(StringComparer.Ordinal));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Theory]
    [InlineData(499, ActivityStatusCode.Unset)]
    [InlineData(500, ActivityStatusCode.Error)]
    [InlineData(503, ActivityStatusCode.Error)]
    public async Task A_span_is_an_error_where_the_server_is_at_fault(int status, ActivityStatusCode expected)
    {
        using var span = Span(ActivityKind.Server);
        await AnswerAsync(0, status, facts: null);

        Assert.Equal(expected, span.Status);
    }

    [Fact]
    public async Task A_method_that_somebody_made_up_is_not_the_name_of_a_span()
    {
        using var span = Span(ActivityKind.Server);
        await AnswerAsync(0, 405, facts: null, method: "MADEUP1");

        Assert.Equal(("HTTP", "_OTHER"), (span.DisplayName, span.GetTagItem("http.request.method")));
    }

    [Fact]
    public async Task Another_s_span_is_left_alone()
    {
        using var span = Span(ActivityKind.Internal);
        await AnswerAsync(0, 500, facts: null);

        Assert.Empty(span.TagObjects);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    private static DefaultHttpContext Context(string path, string method, string? route)
    {
        var context = new DefaultHttpContext();
        (context.Request.Path, context.Request.Method, context.Request.Scheme) = (path, method, "http");
        if (route is not null)
        {
            context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse(route), order: 0, EndpointMetadataCollection.Empty, displayName: null));
        }

        return context;
    }

    private static Activity Span(ActivityKind kind)
    {
        var activity = new Activity("request") { ActivityTraceFlags = ActivityTraceFlags.Recorded, IsAllDataRequested = true };
        typeof(Activity).GetProperty(nameof(Activity.Kind))!.SetValue(activity, kind);
        return activity.Start();
    }

    private Task AnswerAsync(
        double sampling, int status, CatalogFacts? facts, string path = "/catalog/p", string method = "GET", string? route = null, string query = "", TimeSpan took = default)
    {
        var log = new RequestLog(
            context =>
            {
                _time.Advance(took);
                context.Response.StatusCode = status;
                if (facts is not null)
                {
                    context.Features.Set(facts);
                }

                return Task.CompletedTask;
            },
            _time,
            Options.Create(new RequestLogOptions { WarmRequestLogSampling = sampling }),
            _log);
        var context = Context(path, method, route);
        context.Request.QueryString = new QueryString(query);
        return log.InvokeAsync(context);
    }
}
