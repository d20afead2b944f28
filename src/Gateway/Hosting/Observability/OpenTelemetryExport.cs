using System.Reflection;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Hosting.Observability;

/// <summary>
/// Traces and metrics over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set in the environment, configured by OpenTelemetry's own
/// variables; otherwise there is nobody who listens, and nothing is made. What is left is sent when the gateway stops.
/// </summary>
internal sealed class OpenTelemetryExport(IOptions<TraceContextOptions> context) : IHostedService, IDisposable
{
    /// <summary>Where upstreams are told the trace, the span that they are told of must be there.</summary>
    private static readonly string[] HttpClientSource = ["System.Net.Http"];

    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>What ASP.NET Core and the runtime measure by themselves and is worth having.</summary>
    internal static readonly string[] PlatformMeters =
        ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "System.Runtime"];

    /// <summary>What a stop may wait for a collector that does not answer.</summary>
    private const int FlushMilliseconds = 3_000;

    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    public static string Version { get; } =
        typeof(OpenTelemetryExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public static bool IsOn => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(EndpointVariable));

    /// <summary>What is wrong with the endpoint; null if nothing is.</summary>
    public static string? Error() =>
        IsOn && !(Uri.TryCreate(Environment.GetEnvironmentVariable(EndpointVariable), UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            ? $"{EndpointVariable}: is not an absolute http or https address, such as http://collector:4317."
            : null;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _traces = Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(Describe)
            .AddSource(Metrics.Name, "Microsoft.AspNetCore")
            .AddSource(context.Value.PropagateTraceContext ? HttpClientSource : [])
            .AddOtlpExporter()
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(Describe)
            .AddMeter([Metrics.Name, .. PlatformMeters])
            .AddOtlpExporter()
            .Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _traces?.Shutdown(FlushMilliseconds);
        _metrics?.Shutdown(FlushMilliseconds);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private static void Describe(ResourceBuilder resource) =>
        resource.AddService("gateway", serviceVersion: Version, autoGenerateServiceInstanceId: true).AddEnvironmentVariableDetector();
}
