using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.FunctionalTests.Stack;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.FunctionalTests;

/// <summary>The test collector against the real SDK and exporter, and against what no exporter sends.</summary>
public sealed class OtlpReceiverTests : IAsyncLifetime
{
    private const string Protobuf = "application/x-protobuf";

    private readonly string _name = $"test.{Guid.NewGuid():N}";
    private readonly HttpClient _client = new();
    private OtlpReceiver _receiver = null!;

    public async ValueTask InitializeAsync() => _receiver = await OtlpReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _receiver.DisposeAsync();
    }

    [Theory]
    [InlineData(OtlpExportCompression.None)]
    [InlineData(OtlpExportCompression.GZip)]
    public async Task A_span_of_the_real_exporter_arrives_whole(OtlpExportCompression compression)
    {
        using var source = new ActivitySource(_name);
        using var provider = Traces(options => options.Compression = compression).Build();
        var caller = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);
        var other = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        var start = new DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero).AddTicks(1_234_567);

        var parent = source.StartActivity("GET /catalog", ActivityKind.Server, caller, startTime: start)!;
        var child = source.StartActivity(
            "billing",
            ActivityKind.Client,
            parent.Context,
            [
                new("text", "Preis: 9,99 €"), new("empty", string.Empty), new("yes", true), new("no", false), new("long", long.MinValue), new("zero", 0),
                new("double", 0.1), new("texts", new[] { "a", "b" }), new("longs", new[] { 1L, -1L }),
            ],
            [new ActivityLink(other, new ActivityTagsCollection { ["why"] = "retry" })],
            start.AddMilliseconds(1))!;
        child.AddEvent(new ActivityEvent("attempt", start.AddMilliseconds(2), new ActivityTagsCollection { ["number"] = 2 }));
        child.AddEvent(new ActivityEvent("gave up", start.AddMilliseconds(3)));
        child.SetStatus(ActivityStatusCode.Error, "timed out");
        child.SetEndTime(start.AddMilliseconds(4).UtcDateTime);
        child.Stop();
        parent.SetStatus(ActivityStatusCode.Ok);
        parent.SetEndTime(start.AddMilliseconds(5).UtcDateTime);
        parent.Stop();

        var spans = await _receiver.TraceAsync(caller.TraceId.ToHexString(), root: caller.SpanId.ToHexString());

        Assert.Equal(2, spans.Count);
        Assert.Equal(caller.TraceId.ToHexString(), spans[0].TraceId);
        Assert.Equal(parent.SpanId.ToHexString(), spans[0].SpanId);
        Assert.Equal(caller.SpanId.ToHexString(), spans[0].ParentSpanId);
        Assert.Equal("GET /catalog", spans[0].Name);
        Assert.Equal(ActivityKind.Server, spans[0].Kind);
        Assert.Equal(new TimeRange(start, start.AddMilliseconds(5)), spans[0].Time);
        Assert.Equal((ActivityStatusCode.Ok, string.Empty), (spans[0].Status, spans[0].StatusMessage));
        Assert.Empty(spans[0].Attributes);
        Assert.Empty(spans[0].Events);
        Assert.Empty(spans[0].Links);
        Assert.Equal(_name, spans[0].Scope);
        Assert.Equal("gateway-under-test", spans[0].Resource["service.name"]);

        Assert.Equal(caller.TraceId.ToHexString(), spans[1].TraceId);
        Assert.Equal(child.SpanId.ToHexString(), spans[1].SpanId);
        Assert.Equal(parent.SpanId.ToHexString(), spans[1].ParentSpanId);
        Assert.Equal("billing", spans[1].Name);
        Assert.Equal(ActivityKind.Client, spans[1].Kind);
        Assert.Equal(new TimeRange(start.AddMilliseconds(1), start.AddMilliseconds(4)), spans[1].Time);
        Assert.Equal((ActivityStatusCode.Error, "timed out"), (spans[1].Status, spans[1].StatusMessage));
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["text"] = "Preis: 9,99 €",
                ["empty"] = string.Empty,
                ["yes"] = true,
                ["no"] = false,
                ["long"] = long.MinValue,
                ["zero"] = 0L,
                ["double"] = 0.1,
                ["texts"] = new object?[] { "a", "b" },
                ["longs"] = new object?[] { 1L, -1L },
            },
            spans[1].Attributes);
        Assert.True(spans[1].Has("zero", 0L) && !spans[1].Has("zero", 1L) && !spans[1].Has("absent", 0L));
        Assert.Equal(_name, spans[1].Scope);
        Assert.Equal("gateway-under-test", spans[1].Resource["service.name"]);
        Assert.Equal(["attempt", "gave up"], spans[1].Events.Select(@event => @event.Name));
        Assert.Equal([start.AddMilliseconds(2), start.AddMilliseconds(3)], spans[1].Events.Select(@event => @event.At));
        Assert.Equal(new Dictionary<string, object?> { ["number"] = 2L }, spans[1].Events[0].Attributes);
        Assert.Empty(spans[1].Events[1].Attributes);
        var link = Assert.Single(spans[1].Links);
        Assert.Equal((other.TraceId.ToHexString(), other.SpanId.ToHexString()), (link.TraceId, link.SpanId));
        Assert.Equal(new Dictionary<string, object?> { ["why"] = "retry" }, link.Attributes);
        Assert.Empty(_receiver.Rejections);
    }

    [Theory]
    [InlineData(ActivityKind.Internal)]
    [InlineData(ActivityKind.Server)]
    [InlineData(ActivityKind.Client)]
    [InlineData(ActivityKind.Producer)]
    [InlineData(ActivityKind.Consumer)]
    public async Task Every_kind_of_span_is_told_apart_and_a_root_has_no_parent(ActivityKind kind)
    {
        using var source = new ActivitySource(_name);
        using var provider = Traces().Build();
        using (source.StartActivity("root", kind))
        {
        }

        var span = await _receiver.SpanAsync(span => span.Scope == _name);

        Assert.Equal(kind, span.Kind);
        Assert.Null(span.ParentSpanId);
        Assert.Equal((ActivityStatusCode.Unset, string.Empty), (span.Status, span.StatusMessage));
    }

    [Theory]
    [InlineData(OtlpExportCompression.None)]
    [InlineData(OtlpExportCompression.GZip)]
    public async Task Metrics_of_the_real_exporter_arrive_whole(OtlpExportCompression compression)
    {
        using var meter = new Meter(_name);
        var before = TimeProvider.System.GetUtcNow();
        using var provider = Metrics(options => options.Compression = compression).Build();
        var lookups = meter.CreateCounter<long>("cache.lookups", "{lookup}", "Look-ups by result");
        var inFlight = meter.CreateUpDownCounter<int>("in.flight", "{request}");
        meter.CreateObservableGauge("token.age", () => new Measurement<double>(12.5, new KeyValuePair<string, object?>("key", "k1")), "s", "Age of the token");
        var duration = meter.CreateHistogram("upstream.duration", "s", "Of calls", null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.5, 1] });
        lookups.Add(2, new KeyValuePair<string, object?>("result", "hit"), new KeyValuePair<string, object?>("cache", "components"));
        lookups.Add(1, new KeyValuePair<string, object?>("result", "miss"), new KeyValuePair<string, object?>("cache", "components"));
        inFlight.Add(5);
        inFlight.Add(-7);
        foreach (var seconds in new[] { 0.05, 0.1, 0.25, 2, 4 })
        {
            duration.Record(seconds, new KeyValuePair<string, object?>("upstream", "billing"));
        }

        Assert.True(provider.ForceFlush(10_000));
        var hits = await _receiver.MetricAsync("cache.lookups", point => point.Has("result", "hit"));
        var misses = await _receiver.MetricAsync("cache.lookups", point => point.Has("result", "miss"));
        var requests = await _receiver.MetricAsync("in.flight", _ => true);
        var age = await _receiver.MetricAsync("token.age", _ => true);
        var calls = await _receiver.MetricAsync("upstream.duration", _ => true);
        var after = TimeProvider.System.GetUtcNow();

        Assert.Equal(("{lookup}", "Look-ups by result", OtlpMetricType.Sum), (hits.Unit, hits.Description, hits.Type));
        Assert.Equal((OtlpTemporality.Cumulative, true), (hits.Temporality, hits.IsMonotonic));
        Assert.Equal(new Dictionary<string, object?> { ["result"] = "hit", ["cache"] = "components" }, hits.Attributes);
        Assert.Equal((2d, 1d), (hits.Value, misses.Value));
        Assert.Null(hits.Histogram);

        Assert.Equal(("{request}", string.Empty, OtlpMetricType.Sum), (requests.Unit, requests.Description, requests.Type));
        Assert.Equal((OtlpTemporality.Cumulative, false, -2d), (requests.Temporality, requests.IsMonotonic, requests.Value));
        Assert.Empty(requests.Attributes);

        Assert.Equal(("s", "Age of the token", OtlpMetricType.Gauge), (age.Unit, age.Description, age.Type));
        Assert.Equal((OtlpTemporality.Unspecified, false, 12.5), (age.Temporality, age.IsMonotonic, age.Value));
        Assert.True(age.Has("key", "k1"));

        Assert.Equal(("s", "Of calls", OtlpMetricType.Histogram), (calls.Unit, calls.Description, calls.Type));
        Assert.Equal((OtlpTemporality.Cumulative, false), (calls.Temporality, calls.IsMonotonic));
        Assert.True(calls.Has("upstream", "billing"));
        Assert.True(double.IsNaN(calls.Value));
        Assert.Equal([0.1, 0.5, 1], calls.Histogram!.Bounds);
        Assert.Equal([2, 1, 0, 2], calls.Histogram.BucketCounts);
        Assert.Equal((5L, 0.05, 4d), (calls.Histogram.Count, calls.Histogram.Min, calls.Histogram.Max));
        Assert.Equal(6.4, calls.Histogram.Sum!.Value, precision: 9);

        Assert.All([hits, misses, requests, age, calls], point =>
        {
            Assert.Equal(_name, point.Scope);
            Assert.Equal("gateway-under-test", point.Resource["service.name"]);
            Assert.InRange(point.Time.Start, before, point.Time.End);
            Assert.InRange(point.Time.End, before, after);
        });
        Assert.Empty(_receiver.Rejections);
    }

    [Fact]
    public async Task The_latest_value_of_a_series_takes_the_place_of_the_one_before()
    {
        using var meter = new Meter(_name);
        using var provider = Metrics().Build();
        var lookups = meter.CreateCounter<long>("cache.lookups");

        lookups.Add(1, new KeyValuePair<string, object?>("result", "hit"));
        var first = await _receiver.MetricAsync("cache.lookups", point => point.Value >= 1);
        var waiting = _receiver.MetricAsync("cache.lookups", point => point.Has("result", "hit") && point.Value >= 3);
        lookups.Add(2, new KeyValuePair<string, object?>("result", "hit"));
        lookups.Add(7, new KeyValuePair<string, object?>("result", "miss"));

        Assert.Equal(3, (await waiting).Value);
        Assert.Equal(1, first.Value);
        await _receiver.MetricAsync("cache.lookups", point => point.Has("result", "miss"));
        Assert.Equal([3, 7], _receiver.Metrics.Where(point => point.Name == "cache.lookups").Select(point => point.Value).Order());
    }

    [Fact]
    public async Task What_does_not_come_fails_with_what_came_instead()
    {
        using var source = new ActivitySource(_name);
        using var provider = Traces().Build();
        using (source.StartActivity("something else"))
        {
        }

        await _receiver.SpansAsync(spans => spans.Count == 1);
        await PostAsync("/v1/metrics", [0xFF]);

        var late = await Assert.ThrowsAsync<TimeoutException>(() => _receiver.SpanAsync(span => span.Name == "wanted", TimeSpan.FromMilliseconds(50)));
        Assert.Contains("something else", late.Message, StringComparison.Ordinal);
        Assert.Contains("/v1/metrics 400: it ends within a field", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trace_is_whole_when_every_span_s_parent_has_come()
    {
        using var source = new ActivitySource(_name);
        using var provider = Traces().Build();
        var root = source.StartActivity("root")!;
        var child = source.StartActivity("child", ActivityKind.Internal, root.Context)!;
        source.StartActivity("grandchild", ActivityKind.Internal, child.Context)!.Stop();
        await _receiver.SpanAsync(span => span.Name == "grandchild");
        var trace = _receiver.TraceAsync(root.TraceId.ToHexString());
        child.Stop();
        await _receiver.SpanAsync(span => span.Name == "child");
        Assert.False(trace.IsCompleted);

        root.Stop();

        Assert.Equal(["root", "child", "grandchild"], (await trace).Select(span => span.Name));
    }

    [Fact]
    public async Task An_accepted_export_is_answered_with_an_empty_message()
    {
        using var response = await PostAsync("/v1/traces", []);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Protobuf, response.Content.Headers.ContentType?.ToString());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("0A", "it ends within a field")]
    [InlineData("0A05", "it ends within a field")]
    [InlineData("0AFFFFFFFF0F", "it ends within a field")]
    [InlineData("0AFFFFFFFFFFFFFFFFFF01", "it ends within a field")]
    [InlineData("18", "it ends within a field")]
    [InlineData("1D010203", "it ends within a field")]
    [InlineData("1901020304050607", "it ends within a field")]
    [InlineData("18FFFFFFFFFFFFFFFFFF02", "a varint is longer than 64 bits")]
    [InlineData("18FFFFFFFFFFFFFFFFFFFF01", "a varint is longer than 64 bits")]
    [InlineData("0201", "a field number is out of range")]
    [InlineData("88808080808001", "a field number is out of range")]
    [InlineData("1B", "a wire type is unknown")]
    [InlineData("1F", "a wire type is unknown")]
    [InlineData("0801", "a field has the wrong wire type")]
    public async Task What_is_not_protobuf_is_rejected(string hexadecimal, string why)
    {
        foreach (var path in new[] { "/v1/traces", "/v1/metrics" })
        {
            Assert.Equal((HttpStatusCode.BadRequest, why), await RejectionAsync(await PostAsync(path, Convert.FromHexString(hexadecimal))));
        }

        Assert.Equal([$"/v1/traces 400: {why}", $"/v1/metrics 400: {why}"], _receiver.Rejections);
    }

    [Theory]
    [InlineData("1203 0A0101", "an id has the wrong length or is all zeros")]
    [InlineData("1212 0A1000000000000000000000000000000000", "an id has the wrong length or is all zeros")]
    [InlineData("1203 2A01FF", "a string is not UTF-8")]
    [InlineData("1202 3006", "an enumeration has no such value")]
    [InlineData("1204 7A021803", "an enumeration has no such value")]
    [InlineData("1203 2A0161", "a span has no id")]
    [InlineData("120A 4A030A01614A030A0161", "two attributes have the same name")]
    public async Task A_span_that_breaks_a_rule_is_rejected(string span, string why) =>
        Assert.Equal((HttpStatusCode.BadRequest, why), await RejectionAsync(await PostAsync("/v1/traces", InScope(span))));

    [Theory]
    [InlineData("1205 0A01613A00", "a sum or histogram has no temporality")]
    [InlineData("1204 3A021003", "an enumeration has no such value")]
    [InlineData("1204 2A020A00", "a point has no value")]
    [InlineData("1202 5200", "exponential histograms and summaries are not read here")]
    [InlineData("1202 5A00", "exponential histograms and summaries are not read here")]
    [InlineData("1210 4A0E10020A0A32080100000000000000", "the buckets of a histogram contradict its bounds or count")]
    [InlineData("1218 4A1610020A12321000000000000000000000000000000000", "the buckets of a histogram contradict its bounds or count")]
    [InlineData("122B 4A2910020A252103000000000000003210010000000000000001000000000000003A080000000000000000", "the buckets of a histogram contradict its bounds or count")]
    [InlineData("120D 4A0B10020A0732050100000000", "it ends within a field")]
    public async Task A_metric_that_breaks_a_rule_is_rejected(string metric, string why) =>
        Assert.Equal((HttpStatusCode.BadRequest, why), await RejectionAsync(await PostAsync("/v1/metrics", InScope(metric))));

    [Fact]
    public async Task Values_nested_too_deeply_are_rejected()
    {
        // An AnyValue whose array (5) holds an AnyValue (1) whose array…, inside out.
        byte[] value = [];
        for (var level = 0; level < 10_000; level++)
        {
            value = Field(level % 2 == 0 ? 1 : 5, value);
        }

        var span = Field(2, Field(9, Field(2, value)));

        using var response = await PostAsync("/v1/traces", Field(1, Field(2, span)));

        Assert.Equal((HttpStatusCode.BadRequest, "messages are nested too deeply"), await RejectionAsync(response));
    }

    [Theory]
    [InlineData("application/json", null)]
    [InlineData("application/x-protobuf", "br")]
    public async Task Another_type_or_coding_is_refused(string type, string? coding)
    {
        using var response = await PostAsync("/v1/traces", [], type, coding);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_not_gzip_or_ends_too_soon_is_rejected()
    {
        var (_, metrics) = await RealBodiesAsync();
        using var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(metrics, TestContext.Current.CancellationToken);
        }

        foreach (var bad in new[] { metrics, zipped.ToArray()[..^12] })
        {
            using var rejected = await PostAsync("/v1/metrics", bad, coding: "gzip");
            Assert.Equal(HttpStatusCode.BadRequest, rejected.StatusCode);
        }

        Assert.Empty(_receiver.Metrics);
        using var accepted = await PostAsync("/v1/metrics", zipped.ToArray(), coding: "gzip");
        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        Assert.NotEmpty(_receiver.Metrics);
    }

    [Fact]
    public async Task Every_truncation_of_a_real_export_is_rejected_and_nothing_of_it_kept()
    {
        var (traces, metrics) = await RealBodiesAsync();
        Assert.NotEmpty(OtlpDecoder.Spans(traces));
        Assert.NotEmpty(OtlpDecoder.Metrics(metrics));

        for (var length = 1; length < traces.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => OtlpDecoder.Spans(traces.AsSpan(..length)));
        }

        for (var length = 1; length < metrics.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => OtlpDecoder.Metrics(metrics.AsSpan(..length)));
        }

        foreach (var (path, body) in new[] { ("/v1/traces", traces), ("/v1/metrics", metrics) })
        {
            using var rejected = await PostAsync(path, body[..^1]);
            Assert.Equal(HttpStatusCode.BadRequest, rejected.StatusCode);
            Assert.Empty(_receiver.Spans);
            Assert.Empty(_receiver.Metrics);
        }

        foreach (var (path, body) in new[] { ("/v1/traces", traces), ("/v1/metrics", metrics) })
        {
            using var accepted = await PostAsync(path, body);
            Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        }

        Assert.NotEmpty(_receiver.Spans);
        Assert.NotEmpty(_receiver.Metrics);
    }

    [Fact]
    public void Random_bytes_are_read_or_rejected_and_nothing_else() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => ReadOrRejected(bytes)).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public async Task A_real_export_with_bytes_changed_is_read_or_rejected_and_nothing_else()
    {
        var (traces, metrics) = await RealBodiesAsync();
        var changed =
            from body in Gen.Elements(traces, metrics)
            from changes in Gen.Zip(Gen.Choose(0, body.Length - 1), Gen.Choose(0, 255)).ListOf(3)
            select changes.Aggregate(body.ToArray(), (bytes, change) =>
            {
                bytes[change.Item1] = (byte)change.Item2;
                return bytes;
            });
        var rejected = 0;

        Prop.ForAll(changed.ToArbitrary(), bytes =>
            {
                var read = ReadOrRejected(bytes);
                rejected += Rejects(bytes) ? 1 : 0;
                return read;
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

        Assert.InRange(rejected, 500, 5_000);
    }

    private static bool ReadOrRejected(byte[] bytes)
    {
        // Any other exception fails the property.
        _ = Rejects(bytes);
        return true;
    }

    private static bool Rejects(byte[] bytes)
    {
        var rejections = 0;
        foreach (var read in new Action[] { () => OtlpDecoder.Spans(bytes), () => OtlpDecoder.Metrics(bytes) })
        {
            try
            {
                read();
            }
            catch (InvalidDataException)
            {
                rejections++;
            }
        }

        return rejections == 2;
    }

    /// <summary>A length-delimited field.</summary>
    private static byte[] Field(int number, byte[] content)
    {
        var length = new List<byte>();
        var rest = content.Length;
        for (; rest > 0x7F; rest >>= 7)
        {
            length.Add((byte)(rest | 0x80));
        }

        return [(byte)((number << 3) | 2), .. length, (byte)rest, .. content];
    }

    /// <summary>A request of one process and one scope, whose content is given.</summary>
    private static byte[] InScope(string hexadecimal) =>
        Field(1, Field(2, Convert.FromHexString(hexadecimal.Replace(" ", string.Empty, StringComparison.Ordinal))));

    private static async Task<(HttpStatusCode Status, string Why)> RejectionAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var body = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
            Assert.Equal(Protobuf, response.Content.Headers.ContentType?.ToString());
            var status = new ProtobufReader(body);
            Assert.True(status.Next(2));
            var why = status.Text();
            Assert.False(status.Next());
            return (response.StatusCode, why);
        }
    }

    private async Task<HttpResponseMessage> PostAsync(string path, byte[] body, string type = Protobuf, string? coding = null)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (coding is not null)
        {
            content.Headers.ContentEncoding.Add(coding);
        }

        return await _client.PostAsync(new Uri(_receiver.Address, path), content, TestContext.Current.CancellationToken);
    }

    /// <summary>What the real exporter sends for a few spans and metrics; this receiver does not get it.</summary>
    private async Task<(byte[] Traces, byte[] Metrics)> RealBodiesAsync()
    {
        using var recorder = new Recorder();
        using var source = new ActivitySource(_name);
        using var meter = new Meter(_name);
        using var traces = Traces(options => options.HttpClientFactory = () => new HttpClient(recorder, disposeHandler: false)).Build();
        using var metrics = Metrics(options => options.HttpClientFactory = () => new HttpClient(recorder, disposeHandler: false)).Build();
        using (var span = source.StartActivity("one", ActivityKind.Client, default(ActivityContext), [new("texts", new[] { "a", "b" }), new("number", 1)]))
        {
            span!.AddEvent(new ActivityEvent("event", tags: new ActivityTagsCollection { ["yes"] = true }));
            span.SetStatus(ActivityStatusCode.Error, "message");
        }

        meter.CreateCounter<long>("counter", "{one}", "text").Add(1, new KeyValuePair<string, object?>("a", "b"));
        meter.CreateHistogram<double>("histogram").Record(1.5);
        return (await recorder.Traces.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken),
            await recorder.Metrics.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken));
    }

    private TracerProviderBuilder Traces(Action<OtlpExporterOptions>? configure = null) => Sdk.CreateTracerProviderBuilder()
        .ConfigureServices(Configure)
        .SetResourceBuilder(ResourceBuilder.CreateDefault().AddService("gateway-under-test"))
        .AddSource(_name)
        .AddOtlpExporter(configure ?? (_ => { }));

    private MeterProviderBuilder Metrics(Action<OtlpExporterOptions>? configure = null) => Sdk.CreateMeterProviderBuilder()
        .ConfigureServices(Configure)
        .SetResourceBuilder(ResourceBuilder.CreateDefault().AddService("gateway-under-test"))
        .AddMeter(_name)
        .AddOtlpExporter(configure ?? (_ => { }));

    /// <summary>By the keys that a process gets as environment variables.</summary>
    private void Configure(IServiceCollection services) => services.AddSingleton<IConfiguration>(
        new ConfigurationBuilder().AddInMemoryCollection(_receiver.Settings.ToDictionary(setting => setting.Key, string? (setting) => setting.Value)).Build());

    /// <summary>Takes the first body for each path instead of sending it.</summary>
    private sealed class Recorder : HttpMessageHandler
    {
        public TaskCompletionSource<byte[]> Traces { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<byte[]> Metrics { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Take(request, await request.Content!.ReadAsByteArrayAsync(cancellationToken));
            return new HttpResponseMessage(HttpStatusCode.OK);
        }

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var body = new MemoryStream();
            request.Content!.CopyTo(body, null, cancellationToken);
            Take(request, body.ToArray());
            return new HttpResponseMessage(HttpStatusCode.OK);
        }

        private void Take(HttpRequestMessage request, byte[] body) =>
            (request.RequestUri!.AbsolutePath == "/v1/traces" ? Traces : Metrics).TrySetResult(body);
    }
}
