using Gateway.Configuration;
using Gateway.Telemetry;

namespace Gateway.Hosting.Observability;

internal static class ObservabilityExtensions
{
    /// <summary>Logs, traces, metrics, health: what happens inside, for whoever is on call.</summary>
    public static WebApplicationBuilder AddGatewayObservability(this WebApplicationBuilder builder)
    {
        builder.AddGatewayLogging();
        builder.Services.AddOptionsSection<RequestLogOptions, RequestLogOptionsValidator>(RequestLogOptions.Section, reloads: true);
        builder.Services.AddOptionsSection<TraceContextOptions>(TraceContextOptions.Section);
        builder.Services.AddSingleton<Observables>();
        builder.Services.AddGatewayHealth();
        if (OpenTelemetryExport.IsOn)
        {
            builder.Services.AddHostedService<OpenTelemetryExport>();
        }

        return builder;
    }
}
