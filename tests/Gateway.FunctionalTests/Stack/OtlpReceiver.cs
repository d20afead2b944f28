using System.IO.Compression;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A collector of the test's own: OTLP over HTTP, protobuf, plain or gzip, as a process under test sends it.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const string Protobuf = "application/x-protobuf";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private readonly List<OtlpSpan> _spans = [];
    private readonly Dictionary<string, OtlpMetricPoint> _metrics = new(StringComparer.Ordinal);
    private readonly List<string> _rejections = [];
    private TaskCompletionSource _arrival = NewArrival();

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>For <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>What makes a process send here, and soon.</summary>
    public (string Key, string Value)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", Address.AbsoluteUri),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];

    /// <summary>Everything received so far, in the order of arrival.</summary>
    public IReadOnlyList<OtlpSpan> Spans
    {
        get
        {
            lock (_gate)
            {
                return [.. _spans];
            }
        }
    }

    /// <summary>The latest value of every series.</summary>
    public IReadOnlyList<OtlpMetricPoint> Metrics
    {
        get
        {
            lock (_gate)
            {
                return [.. _metrics.Values];
            }
        }
    }

    /// <summary>Why requests were answered 400 or 415.</summary>
    public IReadOnlyList<string> Rejections
    {
        get
        {
            lock (_gate)
            {
                return [.. _rejections];
            }
        }
    }

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.MapPost("/v1/traces", context => receiver.ReceiveAsync(context, body => receiver._spans.AddRange(OtlpDecoder.Spans(body))));
        receiver._app.MapPost("/v1/metrics", context => receiver.ReceiveAsync(context, body =>
        {
            foreach (var point in OtlpDecoder.Metrics(body))
            {
                receiver._metrics[point.Series] = point;
            }
        }));
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>All spans, as soon as they are as wanted. Fails if they are not within 15 s, or <paramref name="within"/>.</summary>
    public async Task<IReadOnlyList<OtlpSpan>> SpansAsync(Func<IReadOnlyList<OtlpSpan>, bool> wanted, TimeSpan? within = null) =>
        await WaitAsync(() => Spans is var spans && wanted(spans) ? spans : null, within);

    /// <summary>The first span that is wanted.</summary>
    public async Task<OtlpSpan> SpanAsync(Func<OtlpSpan, bool> wanted, TimeSpan? within = null) =>
        await WaitAsync(() => Spans.FirstOrDefault(wanted), within);

    /// <summary>
    /// All spans of a trace, in the order of their start, once its root has come and with it the parent of every other. What
    /// outlives the root comes later: name it in <paramref name="wanted"/> if it matters.
    /// </summary>
    /// <param name="traceId">32 digits.</param>
    /// <param name="wanted">What else must be so.</param>
    /// <param name="root">The parent of the root, if the test sent a <c>traceparent</c>.</param>
    /// <param name="within">15 s by default.</param>
    public async Task<IReadOnlyList<OtlpSpan>> TraceAsync(
        string traceId, Func<IReadOnlyList<OtlpSpan>, bool>? wanted = null, string? root = null, TimeSpan? within = null) => await WaitAsync(
        () =>
        {
            OtlpSpan[] spans = [.. Spans.Where(span => span.TraceId == traceId).OrderBy(span => span.Time.Start)];
            return Array.Exists(spans, span => span.ParentSpanId == root)
                && Array.TrueForAll(spans, span => span.ParentSpanId == root || Array.Exists(spans, parent => parent.SpanId == span.ParentSpanId))
                && (wanted is null || wanted(spans))
                    ? spans
                    : null;
        },
        within);

    /// <summary>The latest value of a series of this metric, as soon as it is as wanted.</summary>
    public async Task<OtlpMetricPoint> MetricAsync(string name, Func<OtlpMetricPoint, bool> wanted, TimeSpan? within = null) =>
        await WaitAsync(() => Metrics.FirstOrDefault(point => point.Name == name && wanted(point)), within);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static TaskCompletionSource NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<T> WaitAsync<T>(Func<T?> find, TimeSpan? within)
        where T : class
    {
        using var patience = new CancellationTokenSource(within ?? Patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, TestContext.Current.CancellationToken);
        while (true)
        {
            Task arrival;
            lock (_gate)
            {
                arrival = _arrival.Task;
            }

            if (find() is { } found)
            {
                return found;
            }

            try
            {
                await arrival.WaitAsync(either.Token);
            }
            catch (OperationCanceledException late) when (patience.IsCancellationRequested)
            {
                throw new TimeoutException(
                    $"It did not come within {within ?? Patience}. Spans:\n{string.Join('\n', Spans)}\nMetrics:\n{string.Join('\n', Metrics)}\nRejected:\n{string.Join('\n', Rejections)}",
                    late);
            }
        }
    }

    private async Task ReceiveAsync(HttpContext context, Action<byte[]> take)
    {
        var (type, coding) = (context.Request.ContentType, context.Request.Headers.ContentEncoding.ToString());
        if (type != Protobuf || coding is not ("" or "identity" or "gzip"))
        {
            await RejectAsync(context, StatusCodes.Status415UnsupportedMediaType, $"not a body for this receiver: {type} {coding}");
            return;
        }

        try
        {
            using var body = new MemoryStream();
            await using var sent = coding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
            await sent.CopyToAsync(body, context.RequestAborted);
            lock (_gate)
            {
                take(body.ToArray());
                _arrival.SetResult();
                _arrival = NewArrival();
            }
        }
        catch (InvalidDataException invalid)
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, invalid.Message);
            return;
        }

        // An Export…ServiceResponse without fields, which is no bytes at all, means that everything was taken.
        context.Response.ContentType = Protobuf;
        context.Response.ContentLength = 0;
    }

    /// <summary>With a <c>google.rpc.Status</c>, as OTLP asks: its message is field 2.</summary>
    private async Task RejectAsync(HttpContext context, int status, string why)
    {
        lock (_gate)
        {
            _rejections.Add($"{context.Request.Path} {status}: {why}");
        }

        // Up to 127 bytes, so that the length is one byte.
        var text = Encoding.ASCII.GetBytes(why[..Math.Min(why.Length, 127)]);
        byte[] body = [(2 << 3) | 2, (byte)text.Length, .. text];
        context.Response.StatusCode = status;
        context.Response.ContentType = Protobuf;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
