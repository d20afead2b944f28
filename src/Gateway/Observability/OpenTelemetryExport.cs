using System.Reflection;
using Gateway.Configuration;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Observability;

/// <summary>
/// Traces and metrics over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set in the environment, configured by OpenTelemetry's own
/// variables; otherwise nobody listens, and nothing is made.
/// </summary>
internal static class OpenTelemetryExport
{
    /// <summary>What a stop may wait for a collector that does not answer, for traces and for metrics.</summary>
    private const int FlushMilliseconds = 3_000;

    public static string Version { get; } =
        typeof(OpenTelemetryExport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>What is wrong with OpenTelemetry's variables; null if nothing is.</summary>
    public static string? Error(IServiceProvider services)
    {
        if (!TraceContext.IsExported)
        {
            return null;
        }

        if (!Uri.TryCreate(Environment.GetEnvironmentVariable(TraceContext.EndpointVariable), UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            return $"{TraceContext.EndpointVariable}: is not an absolute http or https address, such as http://collector:4317.";
        }

        try
        {
            services.GetRequiredService<TracerProvider>();
            services.GetRequiredService<MeterProvider>();
            return null;
        }
        catch (Exception exception)
        {
            // Not its text: a variable may hold a collector's key.
            return $"OTEL_*: OpenTelemetry cannot be set up from its variables in the environment ({exception.GetType().Name}); look at each.";
        }
    }

    public static void AddTo(IServiceCollection services)
    {
        services.AddSingleton<TraceContext>();
        services.AddSingleton(TraceContext.Inbound);
        if (TraceContext.IsExported)
        {
            services.ConfigureOpenTelemetryTracerProvider(traces => traces.AddOtlpExporter());
            services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddOtlpExporter());
            AddInstruments(services);
        }
    }

    /// <summary>What is collected, whoever exports it.</summary>
    internal static void AddInstruments(IServiceCollection services)
    {
        // By default the instrumentation of HttpClient itself writes traceparent and baggage into every call, whatever the handler was
        // told (TraceContext); with this one it leaves that to the handler.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("gateway", serviceVersion: Version, autoGenerateServiceInstanceId: true).AddEnvironmentVariableDetector())
            .WithTracing(traces => traces
                .AddSource(Metrics.Name)
                .AddAspNetCoreInstrumentation(options =>
                {
                    options.Filter = context => !ManagementEndpoint.IsHealth(context.Request.Path);
                    options.EnrichWithHttpRequest = (span, _) => span.SetTag("url.query", null);
                })

                // Paths of upstreams without their query, which holds Paymentwall's key and signature.
                .AddHttpClientInstrumentation(options => options.EnrichWithHttpRequestMessage =
                    (span, request) => span.SetTag("url.full", request.RequestUri?.GetLeftPart(UriPartial.Path))))
            .WithMetrics(metrics => metrics.AddMeter(Metrics.Name).AddAspNetCoreInstrumentation().AddRuntimeInstrumentation());
        services.AddHostedService<LastFlush>();
    }

    /// <summary>Sends what is left when the gateway stops, and waits no longer than it may: by itself OpenTelemetry waits 5 s for each.</summary>
    private sealed class LastFlush(TracerProvider traces, MeterProvider metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces.Shutdown(FlushMilliseconds);
            metrics.Shutdown(FlushMilliseconds);
            return Task.CompletedTask;
        }
    }
}
