namespace Gateway.Telemetry;

/// <summary>Whom the trace context is told. A key of the section <c>Hosting</c>.</summary>
internal sealed class TraceContextOptions
{
    public const string Section = "Hosting";

    /// <summary>
    /// Upstreams get <c>traceparent</c> and <c>tracestate</c>. Default false: they are third parties, and what a client sent in its
    /// <c>tracestate</c> is not theirs.
    /// </summary>
    public bool PropagateTraceContext { get; set; }
}
