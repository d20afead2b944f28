using System.Diagnostics;
using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// Reads the bodies that OTLP/HTTP sends as protobuf, by the field numbers of the public opentelemetry-proto definitions
/// (collector/trace/v1, collector/metrics/v1 and what they import). Fields not named here are passed over. Stricter than a
/// production collector, for it is to find mistakes: what breaks a rule of those definitions is an <see cref="InvalidDataException"/>.
/// </summary>
internal static class OtlpDecoder
{
    private static readonly OtlpSpan NoSpan = new(
        string.Empty, string.Empty, null, string.Empty, ActivityKind.Internal, default, None, ActivityStatusCode.Unset, string.Empty, string.Empty, None, [], []);

    private static readonly OtlpMetricPoint NoPoint = new(
        string.Empty, string.Empty, string.Empty, OtlpMetricType.Gauge, OtlpTemporality.Unspecified, false, string.Empty, None, None, default, double.NaN, null);

    /// <summary>What a span (a metric) is read by, and what it belongs to.</summary>
    private delegate void ItemReader(ProtobufReader item, string scope, IReadOnlyDictionary<string, object?> resource);

    private static Dictionary<string, object?> None => [];

    /// <summary>Reads an <c>ExportTraceServiceRequest</c>.</summary>
    public static IReadOnlyList<OtlpSpan> Spans(ReadOnlySpan<byte> body)
    {
        var spans = new List<OtlpSpan>();
        ReadItems(new ProtobufReader(body), (item, scope, resource) => spans.Add(Span(item) with { Scope = scope, Resource = resource }));
        return spans;
    }

    /// <summary>Reads an <c>ExportMetricsServiceRequest</c>.</summary>
    public static IReadOnlyList<OtlpMetricPoint> Metrics(ReadOnlySpan<byte> body)
    {
        var points = new List<OtlpMetricPoint>();
        ReadItems(new ProtobufReader(body), (item, scope, resource) => points.AddRange(Metric(item, NoPoint with { Scope = scope, Resource = resource })));
        return points;
    }

    /// <summary>Attributes as text, in the order of their names.</summary>
    public static string Describe(IReadOnlyDictionary<string, object?> attributes) =>
        $"{{{string.Join(", ", attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={DescribeValue(pair.Value)}"))}}}";

    private static string DescribeValue(object? value) => value switch
    {
        object?[] many => $"[{string.Join(", ", many.Select(DescribeValue))}]",
        IReadOnlyDictionary<string, object?> attributes => Describe(attributes),
        byte[] bytes => Convert.ToHexStringLower(bytes),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty,
    };

    // Both requests have one shape: per process (1) its resource (1), per scope (2) its name (1), then the items (2). A message may
    // come before what describes it. A reader is a value: handing it over leaves the own one where it was, so each can be read twice.
    private static void ReadItems(ProtobufReader request, ItemReader read)
    {
        while (request.Next(1))
        {
            var process = request.Message();
            var resource = Resource(process);
            while (process.Next(2))
            {
                var group = process.Message();
                var scope = Scope(group);
                while (group.Next(2))
                {
                    read(group.Message(), scope, resource);
                }
            }
        }
    }

    private static Dictionary<string, object?> Resource(ProtobufReader process) => process.Next(1) ? KeyValues(process.Message(), field: 1) : None;

    private static string Scope(ProtobufReader group)
    {
        if (!group.Next(1))
        {
            return string.Empty;
        }

        var scope = group.Message();
        return scope.Next(1) ? scope.Text() : string.Empty;
    }

    private static OtlpSpan Span(ProtobufReader reader)
    {
        var span = NoSpan with { Attributes = KeyValues(reader, field: 9) };
        var events = new List<OtlpEvent>();
        var links = new List<OtlpLink>();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    span = span with { TraceId = Id(reader.Bytes(), 16) };
                    break;
                case 2:
                    span = span with { SpanId = Id(reader.Bytes(), 8) };
                    break;
                case 4:
                    var parent = reader.Bytes();
                    span = span with { ParentSpanId = parent.IsEmpty ? null : Id(parent, 8) };
                    break;
                case 5:
                    span = span with { Name = reader.Text() };
                    break;
                case 6:
                    // OTLP counts from 1; 0 is "unspecified", to be taken as internal.
                    span = span with { Kind = (ActivityKind)Math.Max(0, Choice(reader.Varint(), 5) - 1) };
                    break;
                case 7:
                    span = span with { Time = span.Time with { Start = Time(reader.Fixed64()) } };
                    break;
                case 8:
                    span = span with { Time = span.Time with { End = Time(reader.Fixed64()) } };
                    break;
                case 11:
                    events.Add(Event(reader.Message()));
                    break;
                case 13:
                    links.Add(Link(reader.Message()));
                    break;
                case 15:
                    span = WithStatus(span, reader.Message());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return span.TraceId.Length > 0 && span.SpanId.Length > 0
            ? span with { Events = events, Links = links }
            : throw ProtobufReader.Invalid("a span has no id");
    }

    private static OtlpEvent Event(ProtobufReader reader)
    {
        var @event = new OtlpEvent(string.Empty, default, KeyValues(reader, field: 3));
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    @event = @event with { At = Time(reader.Fixed64()) };
                    break;
                case 2:
                    @event = @event with { Name = reader.Text() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return @event;
    }

    private static OtlpLink Link(ProtobufReader reader)
    {
        var link = new OtlpLink(string.Empty, string.Empty, KeyValues(reader, field: 4));
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    link = link with { TraceId = Id(reader.Bytes(), 16) };
                    break;
                case 2:
                    link = link with { SpanId = Id(reader.Bytes(), 8) };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return link;
    }

    private static OtlpSpan WithStatus(OtlpSpan span, ProtobufReader status)
    {
        while (status.Next())
        {
            switch (status.Field)
            {
                case 2:
                    span = span with { StatusMessage = status.Text() };
                    break;
                case 3:
                    span = span with { Status = (ActivityStatusCode)Choice(status.Varint(), 2) };
                    break;
                default:
                    status.Skip();
                    break;
            }
        }

        return span;
    }

    private static List<OtlpMetricPoint> Metric(ProtobufReader reader, OtlpMetricPoint point)
    {
        for (var description = reader; description.Next();)
        {
            switch (description.Field)
            {
                case 1:
                    point = point with { Name = description.Text() };
                    break;
                case 2:
                    point = point with { Description = description.Text() };
                    break;
                case 3:
                    point = point with { Unit = description.Text() };
                    break;
                default:
                    description.Skip();
                    break;
            }
        }

        var points = new List<OtlpMetricPoint>();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 5:
                    points.AddRange(Points(reader.Message(), point with { Type = OtlpMetricType.Gauge }));
                    break;
                case 7:
                    points.AddRange(Points(reader.Message(), point with { Type = OtlpMetricType.Sum }));
                    break;
                case 9:
                    points.AddRange(Points(reader.Message(), point with { Type = OtlpMetricType.Histogram }));
                    break;
                case 10 or 11:
                    // Said aloud: a test that waits for such a metric would not know why it does not come.
                    throw ProtobufReader.Invalid("exponential histograms and summaries are not read here");
                default:
                    reader.Skip();
                    break;
            }
        }

        return points;
    }

    private static List<OtlpMetricPoint> Points(ProtobufReader reader, OtlpMetricPoint point)
    {
        for (var data = reader; data.Next();)
        {
            switch (data.Field)
            {
                case 2 when point.Type != OtlpMetricType.Gauge:
                    point = point with { Temporality = (OtlpTemporality)Choice(data.Varint(), 2) };
                    break;
                case 3 when point.Type == OtlpMetricType.Sum:
                    point = point with { IsMonotonic = data.Varint() != 0 };
                    break;
                default:
                    data.Skip();
                    break;
            }
        }

        if (point.Type != OtlpMetricType.Gauge && point.Temporality == OtlpTemporality.Unspecified)
        {
            throw ProtobufReader.Invalid("a sum or histogram has no temporality");
        }

        var points = new List<OtlpMetricPoint>();
        while (reader.Next(1))
        {
            points.Add(point.Type == OtlpMetricType.Histogram ? HistogramPoint(reader.Message(), point) : NumberPoint(reader.Message(), point));
        }

        return points;
    }

    private static OtlpMetricPoint NumberPoint(ProtobufReader reader, OtlpMetricPoint point)
    {
        var attributes = KeyValues(reader, field: 7);
        var (start, end) = (0UL, 0UL);
        double? value = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2:
                    start = reader.Fixed64();
                    break;
                case 3:
                    end = reader.Fixed64();
                    break;
                case 4:
                    value = reader.Double();
                    break;
                case 6:
                    value = (long)reader.Fixed64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return point with
        {
            Attributes = attributes,
            Time = Period(start, end),
            Value = value ?? throw ProtobufReader.Invalid("a point has no value"),
        };
    }

    private static OtlpMetricPoint HistogramPoint(ProtobufReader reader, OtlpMetricPoint point)
    {
        var attributes = KeyValues(reader, field: 9);
        var (start, end, count) = (0UL, 0UL, 0UL);
        double? sum = null, min = null, max = null;
        var (counts, bounds) = (new List<ulong>(), new List<ulong>());
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2:
                    start = reader.Fixed64();
                    break;
                case 3:
                    end = reader.Fixed64();
                    break;
                case 4:
                    count = reader.Fixed64();
                    break;
                case 5:
                    sum = reader.Double();
                    break;
                case 6:
                    reader.Fixed64s(counts);
                    break;
                case 7:
                    reader.Fixed64s(bounds);
                    break;
                case 11:
                    min = reader.Double();
                    break;
                case 12:
                    max = reader.Double();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        var inBuckets = counts.Aggregate(0UL, (total, bucket) => unchecked(total + bucket));
        if (counts.Count != (bounds.Count == 0 && counts.Count == 0 ? 0 : bounds.Count + 1) || (counts.Count > 0 && inBuckets != count))
        {
            throw ProtobufReader.Invalid("the buckets of a histogram contradict its bounds or count");
        }

        return point with
        {
            Attributes = attributes,
            Time = Period(start, end),
            Histogram = new OtlpHistogram((long)count, sum, min, max, [.. counts.Select(bucket => (long)bucket)], [.. bounds.Select(BitConverter.UInt64BitsToDouble)]),
        };
    }

    /// <summary>The <c>KeyValue</c>s of one field of a message.</summary>
    private static Dictionary<string, object?> KeyValues(ProtobufReader owner, int field)
    {
        var attributes = None;
        while (owner.Next(field))
        {
            var pair = owner.Message();
            var (key, value) = (string.Empty, (object?)null);
            while (pair.Next())
            {
                switch (pair.Field)
                {
                    case 1:
                        key = pair.Text();
                        break;
                    case 2:
                        value = Value(pair.Message());
                        break;
                    default:
                        pair.Skip();
                        break;
                }
            }

            if (!attributes.TryAdd(key, value))
            {
                throw ProtobufReader.Invalid("two attributes have the same name");
            }
        }

        return attributes;
    }

    private static object? Value(ProtobufReader reader)
    {
        object? value = null;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    value = reader.Text();
                    break;
                case 2:
                    value = reader.Varint() != 0;
                    break;
                case 3:
                    value = (long)reader.Varint();
                    break;
                case 4:
                    value = reader.Double();
                    break;
                case 5:
                    value = Values(reader.Message());
                    break;
                case 6:
                    value = KeyValues(reader.Message(), field: 1);
                    break;
                case 7:
                    value = reader.Bytes().ToArray();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return value;
    }

    private static object?[] Values(ProtobufReader array)
    {
        var values = new List<object?>();
        while (array.Next(1))
        {
            values.Add(Value(array.Message()));
        }

        return [.. values];
    }

    private static string Id(ReadOnlySpan<byte> bytes, int length) => bytes.Length == length && bytes.ContainsAnyExcept((byte)0)
        ? Convert.ToHexStringLower(bytes)
        : throw ProtobufReader.Invalid("an id has the wrong length or is all zeros");

    private static int Choice(ulong value, int last) =>
        value <= (ulong)last ? (int)value : throw ProtobufReader.Invalid("an enumeration has no such value");

    private static TimeRange Period(ulong start, ulong end) => new(Time(start == 0 ? end : start), Time(end));

    private static DateTimeOffset Time(ulong unixNanoseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks((long)(unixNanoseconds / TimeSpan.NanosecondsPerTick));
}
