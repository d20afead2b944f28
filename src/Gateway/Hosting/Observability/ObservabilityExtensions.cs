using Gateway.Telemetry;

namespace Gateway.Hosting.Observability;

internal static class ObservabilityExtensions
{
    /// <summary>Traces, metrics, health.</summary>
    public static WebApplicationBuilder AddGatewayObservability(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Observables>();
        builder.Services.AddGatewayHealth();
        builder.Services.AddSingleton<TraceContext>();
        builder.Services.AddSingleton(TraceContext.Inbound);
        OpenTelemetryExport.AddTo(builder.Services);
        return builder;
    }
}
