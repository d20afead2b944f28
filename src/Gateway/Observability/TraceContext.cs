using System.Diagnostics;
using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Observability;

/// <summary>What a client's handler does with the trace context.</summary>
internal sealed class TraceContext(IOptions<HostingOptions> options)
{
    public const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>For servers that are never told. With null a handler makes no span either, which costs nothing where nobody collects them.</summary>
    public static DistributedContextPropagator? Silent { get; } =
        IsExported ? DistributedContextPropagator.CreateNoOutputPropagator() : null;

    /// <summary>For upstreams.</summary>
    public DistributedContextPropagator? Outbound => options.Value.PropagateTraceContext ? WithoutBaggage.Instance : Silent;

    /// <summary>For the server: a caller's <c>baggage</c> is for nobody here or behind.</summary>
    public static DistributedContextPropagator Inbound => WithoutBaggage.Instance;

    /// <summary>Somebody collects traces and metrics.</summary>
    public static bool IsExported => !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(EndpointVariable));

    /// <summary><c>traceparent</c> and <c>tracestate</c> as the W3C has them, and nothing beside them.</summary>
    private sealed class WithoutBaggage : DistributedContextPropagator
    {
        private static readonly DistributedContextPropagator W3C = CreateW3CPropagator();

        public static WithoutBaggage Instance { get; } = new();

        public override IReadOnlyCollection<string> Fields { get; } = ["traceparent", "tracestate"];

        public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter) =>
            W3C.Inject(activity, carrier, (on, name, value) =>
            {
                if (Fields.Contains(name))
                {
                    setter?.Invoke(on, name, value);
                }
            });

        public override void ExtractTraceIdAndState(object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
            W3C.ExtractTraceIdAndState(carrier, getter, out traceId, out traceState);

        public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(object? carrier, PropagatorGetterCallback? getter) => null;
    }
}
