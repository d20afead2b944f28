using System.Diagnostics;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A span as it was exported. Ids are lower-case hexadecimal; a root has no <paramref name="ParentSpanId"/>.</summary>
/// <param name="TraceId">32 digits.</param>
/// <param name="SpanId">16 digits.</param>
/// <param name="ParentSpanId">16 digits, or null.</param>
/// <param name="Name">The span's name.</param>
/// <param name="Kind">The span's kind.</param>
/// <param name="Time">From start to end, to 100 ns.</param>
/// <param name="Attributes">
/// Values are <see langword="string"/>, <see langword="bool"/>, <see langword="long"/>, <see langword="double"/>,
/// <see langword="byte"/>[], <see langword="object"/>?[], a dictionary like this one, or null.
/// </param>
/// <param name="Status">Unset, ok or error.</param>
/// <param name="StatusMessage">Empty if there is none.</param>
/// <param name="Scope">The name of the instrumentation scope: of the <see cref="ActivitySource"/>.</param>
/// <param name="Resource">The attributes of the process that sent it.</param>
/// <param name="Events">In the order of the wire.</param>
/// <param name="Links">In the order of the wire.</param>
internal sealed record OtlpSpan(
    string TraceId,
    string SpanId,
    string? ParentSpanId,
    string Name,
    ActivityKind Kind,
    TimeRange Time,
    IReadOnlyDictionary<string, object?> Attributes,
    ActivityStatusCode Status,
    string StatusMessage,
    string Scope,
    IReadOnlyDictionary<string, object?> Resource,
    IReadOnlyList<OtlpEvent> Events,
    IReadOnlyList<OtlpLink> Links)
{
    public bool Has(string key, object value) => Equals(Attributes.GetValueOrDefault(key), value);

    public override string ToString() => $"{TraceId}/{SpanId} in {ParentSpanId ?? "-"}: {Scope} {Name} {OtlpDecoder.Describe(Attributes)} {Time.Length.TotalMilliseconds} ms";
}

/// <summary>Something that happened during a span, an exception for example.</summary>
internal sealed record OtlpEvent(string Name, DateTimeOffset At, IReadOnlyDictionary<string, object?> Attributes);

/// <summary>Another span that a span has to do with.</summary>
internal sealed record OtlpLink(string TraceId, string SpanId, IReadOnlyDictionary<string, object?> Attributes);
