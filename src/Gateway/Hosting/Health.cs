using System.Text.Json.Nodes;
using Gateway.Caching;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Hosting;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: send requests here; Redis is reported, but its loss never makes a
/// replica unready, because every replica would be at once.
/// </summary>
internal static class Health
{
    public static IServiceCollection AddGatewayHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<RedisCheck>("redis", failureStatus: HealthStatus.Degraded).AddCheck<DrainCheck>("draining").AddCheck<WarmUp>("warmUp");
        services.AddSingleton<WarmUp>();
        services.AddHostedService(provider => provider.GetRequiredService<WarmUp>());
        return services;
    }

    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync }).AllowAnonymous();
        routes.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var body = new JsonObject { ["status"] = Name(report.Status) };
        foreach (var (name, entry) in report.Entries)
        {
            body[name] = entry.Description;
        }

        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
    }

    private static string Name(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };

    private sealed class RedisCheck(RedisConnection redis, PurgeLog purges) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(redis.State switch
            {
                RedisState.Off => HealthCheckResult.Healthy("off"),
                RedisState.Up when purges.IsSynced => HealthCheckResult.Healthy("up"),
                RedisState.Up or RedisState.Connecting => HealthCheckResult.Degraded("connecting"),
                _ => HealthCheckResult.Degraded("down"),
            });
    }

    private sealed class DrainCheck(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("yes") : HealthCheckResult.Healthy("no"));
    }
}
