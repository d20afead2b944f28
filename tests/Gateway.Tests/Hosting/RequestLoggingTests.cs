using Gateway.Catalog.Rendering;
using Gateway.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Serilog;
using Serilog.Events;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Tests.Hosting;

public sealed class RequestLoggingTests
{
    [Theory]
    [InlineData(0, "ready", 200, 0)]
    [InlineData(0, "ready", 304, 0)]
    [InlineData(0, "ready", 412, 100)]
    [InlineData(0, "cached", 200, 100)]
    [InlineData(0, "loaded", 304, 100)]
    [InlineData(1, "ready", 200, 100)]
    [InlineData(1, "ready", 304, 100)]
    public void Only_answers_that_were_ready_are_sampled(double sampling, string cache, int status, int expected) =>
        Assert.Equal(expected, Enumerable.Range(0, 100).Count(_ => LevelOf("/catalog/p", sampling, CatalogCacheStatus.Of(cache, "complete"), status) == LogEventLevel.Information));

    [Fact]
    public void About_the_share_asked_for_is_logged()
    {
        var logged = Enumerable.Range(0, 10_000).Count(_ => LevelOf("/catalog/p", 0.1, CatalogCacheStatus.Of(CatalogCacheStatus.Ready, "complete"), 200) == LogEventLevel.Information);

        // Six standard deviations.
        Assert.InRange(logged, 1_000 - 180, 1_000 + 180);
    }

    [Theory]
    [InlineData("/health/live", LogEventLevel.Debug)]
    [InlineData("/Health/details", LogEventLevel.Debug)]
    [InlineData("/healthy", LogEventLevel.Information)]
    public void Health_checks_are_for_debugging(string path, LogEventLevel expected) => Assert.Equal(expected, LevelOf(path, 0, facts: null, 200));

    [Fact]
    public void Of_what_kept_a_connection_from_being_made_a_line_says_the_cause_by_its_name()
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IForwarderErrorFeature>(new ForwarderFailure(new AggregateException(new HttpRequestException(HttpRequestError.NameResolutionError))));
        var line = new Line();

        RequestLogging.Enrich(line, context);

        Assert.Equal("nameNotResolved", line.Properties["Cause"]);
    }

    [Fact]
    public void A_line_says_route_cache_and_why_a_call_could_not_be_forwarded()
    {
        var context = new DefaultHttpContext();
        context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/catalog/{productId}"), order: 0, EndpointMetadataCollection.Empty, displayName: null));
        CatalogCacheStatus.Of("loaded", "stale").Record(context);
        context.Features.Set<IForwarderErrorFeature>(new ForwarderFailure());
        var line = new Line();

        RequestLogging.Enrich(line, context);

        Assert.Equal(
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["Route"] = "/catalog/{productId}",
                ["Cache"] = "loaded",
                ["Completeness"] = "stale",
                ["ForwarderError"] = ForwarderError.Request,
                ["Cause"] = nameof(TimeoutException),
            },
            line.Properties);
    }

    private static LogEventLevel LevelOf(string path, double sampling, CatalogCacheStatus? facts, int status)
    {
        var context = new DefaultHttpContext();
        (context.Request.Path, context.Response.StatusCode) = (path, status);
        facts?.Record(context);
        return RequestLogging.LevelOf(context, sampling);
    }

    private sealed class Line : IDiagnosticContext
    {
        public Dictionary<string, object?> Properties { get; } = new(StringComparer.Ordinal);

        public void Set(string propertyName, object? value, bool destructureObjects = false) => Properties.Add(propertyName, value);

        public void SetException(Exception exception) => throw new NotSupportedException();
    }

    private sealed class ForwarderFailure(Exception? exception = null) : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.Request;

        public Exception Exception { get; } = exception ?? new HttpRequestException("x", new TimeoutException());
    }
}
