using System.Diagnostics;
using Gateway.Catalog;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Observability;

/// <summary>
/// One line per request, and the same facts on its span. The path without the query: a query can carry what nobody should read in a
/// log. Of catalog answers that were ready only a share is logged; health checks are Debug. Begins the request's trace where nobody has.
/// </summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider time, IOptions<RequestLogOptions> options, ILogger<RequestLog> logger)
{
    private static readonly string[] Methods =
    [
        HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete, HttpMethods.Options,
        HttpMethods.Connect, HttpMethods.Trace,
    ];

    /// <summary>Somebody has drawn already whether this one is to be logged, if its answer was ready.</summary>
    public static void Choose(HttpContext context, bool isLogged) => context.Features.Set(isLogged ? Choice.Logged : Choice.NotLogged);

    public async Task InvokeAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        Activity.Current = RequestTrace.Of(context);
        try
        {
            await next(context);
        }
        finally
        {
            var facts = context.Features.Get<CatalogFacts>();
            Describe(Activity.Current, context, facts);
            Write(context, facts, started);
        }
    }

    /// <summary>The server's span in OpenTelemetry's words; costs nothing where nobody collects it.</summary>
    public static void Describe(Activity? span, HttpContext context, CatalogFacts? facts)
    {
        if (span is not { IsAllDataRequested: true, Kind: ActivityKind.Server })
        {
            return;
        }

        var (status, route) = (context.Response.StatusCode, RouteOf(context));

        // A method can be any word that a client makes up.
        var method = Methods.Contains(context.Request.Method, StringComparer.Ordinal) ? context.Request.Method : null;
        span.DisplayName = route is null ? method ?? "HTTP" : $"{method ?? "HTTP"} {route}";
        span.SetTag("http.request.method", method ?? "_OTHER").SetTag("http.route", route).SetTag("http.response.status_code", status);
        span.SetTag("url.scheme", context.Request.Scheme).SetTag("url.path", context.Request.Path.Value);
        span.SetTag("gateway.catalog.cache", facts?.Cache).SetTag("gateway.catalog.completeness", facts?.Completeness);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }

    private void Write(HttpContext context, CatalogFacts? facts, long started)
    {
        var (request, status) = (context.Request, context.Response.StatusCode);
        var isWarm = facts?.Cache == CatalogFacts.Ready && status is StatusCodes.Status200OK or StatusCodes.Status304NotModified;
        if (isWarm && !(context.Features.Get<Choice>()?.IsLogged ?? Random.Shared.NextDouble() < options.Value.WarmRequestLogSampling))
        {
            return;
        }

        var level = request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase) ? LogLevel.Debug : LogLevel.Information;
        if (!logger.IsEnabled(level))
        {
            return;
        }

        // Rounded here: a format in the message would be written out beside it in every line.
        var (duration, route) = (Math.Round(time.GetElapsedTime(started).TotalMilliseconds, 1), RouteOf(context));
        if (facts is null)
        {
            Log.Request(logger, level, request.Method, request.Path, status, duration, route);
        }
        else
        {
            Log.Catalog(logger, level, request.Method, request.Path, status, duration, facts.Cache, facts.Completeness, route);
        }
    }

    private static string? RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;

    private sealed class Choice(bool isLogged)
    {
        public static readonly Choice Logged = new(isLogged: true);
        public static readonly Choice NotLogged = new(isLogged: false);

        public bool IsLogged => isLogged;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5001, Message = "{Method} {Path} {StatusCode} in {DurationMs} ms, route {Route}")]
        public static partial void Request(ILogger logger, LogLevel level, string method, PathString path, int statusCode, double durationMs, string? route);

        [LoggerMessage(EventId = 5002, Message = "{Method} {Path} {StatusCode} in {DurationMs} ms, {Cache}, {Completeness}, route {Route}")]
        public static partial void Catalog(
            ILogger logger, LogLevel level, string method, PathString path, int statusCode, double durationMs, string cache, string completeness, string? route);
    }
}
