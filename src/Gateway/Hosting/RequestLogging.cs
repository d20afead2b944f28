using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Observability;
using Microsoft.Extensions.Options;
using Serilog;
using Serilog.Events;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Hosting;

/// <summary>
/// One log line per request, by Serilog's own middleware. The path without the query: a query can carry what nobody should read in a
/// log. Of catalog answers that were ready only a share is logged (<c>Hosting:WarmRequestLogSampling</c>); health checks are Debug.
/// </summary>
internal static class RequestLogging
{
    public static void UseRequestLogging(this IApplicationBuilder app)
    {
        var sampling = app.ApplicationServices.GetRequiredService<IOptionsMonitor<HostingOptions>>();
        app.UseSerilogRequestLogging(options =>
        {
            options.Logger = app.ApplicationServices.GetRequiredService<Serilog.ILogger>();
            options.MessageTemplate = "{RequestMethod:l} {RequestPath:l} {StatusCode} in {Elapsed:0.0} ms";
            options.GetLevel = (context, _, _) => LevelOf(context, sampling.CurrentValue.WarmRequestLogSampling);
            options.EnrichDiagnosticContext = Enrich;
        });
    }

    internal static LogEventLevel LevelOf(HttpContext context, double sampling)
    {
        var isWarm = context.Features.Get<CatalogCacheStatus>()?.Cache == CatalogCacheStatus.Ready
            && context.Response.StatusCode is StatusCodes.Status200OK or StatusCodes.Status304NotModified;
        return isWarm && !(CatalogFastPath.IsSampled(context) || Random.Shared.NextDouble() < sampling) ? LevelAlias.Minimum
            : ManagementEndpoint.IsHealth(context.Request.Path) ? LogEventLevel.Debug
            : LogEventLevel.Information;
    }

    internal static void Enrich(IDiagnosticContext line, HttpContext context)
    {
        if ((context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } route)
        {
            line.Set("Route", route);
        }

        if (context.Features.Get<CatalogCacheStatus>() is { } status)
        {
            line.Set("Cache", status.Cache);
            line.Set("Completeness", status.Completeness);
        }

        if (context.Features.Get<IForwarderErrorFeature>() is { Error: not ForwarderError.None } forwarding)
        {
            line.Set("ForwarderError", forwarding.Error);
            line.Set("Cause", FailureCause.Of(forwarding.Exception) is { } cause and not FailureCause.Unknown ? cause : forwarding.Exception?.GetBaseException().GetType().Name);
        }
    }
}
