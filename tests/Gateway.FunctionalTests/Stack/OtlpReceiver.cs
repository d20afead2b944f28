using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A collector that keeps what it is sent as it came. Texts stand in protobuf as they are, so that names, attributes and whatever must
/// not be there can be looked for without reading the format; what spans and metrics consist of is the business of the tests that have
/// them in memory.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const string Protobuf = "application/x-protobuf";

    private readonly WebApplication _app;
    private readonly Lock _gate = new();
    private readonly StringBuilder _traces = new();
    private readonly StringBuilder _metrics = new();

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>What makes a process send here, and soon.</summary>
    public (string Key, string Value)[] Settings =>
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", _app.Urls.Single()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ];

    /// <summary>All that came for traces, byte by byte (Latin-1).</summary>
    public string Traces => Read(_traces);

    /// <summary>All that came for metrics, likewise.</summary>
    public string Metrics => Read(_metrics);

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.MapPost("/v1/traces", context => receiver.KeepAsync(context, receiver._traces));
        receiver._app.MapPost("/v1/metrics", context => receiver.KeepAsync(context, receiver._metrics));
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    /// <summary>As an id of a trace or a span stands in <see cref="Traces"/>.</summary>
    public static string Bytes(string hexadecimal) => Encoding.Latin1.GetString(Convert.FromHexString(hexadecimal));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private string Read(StringBuilder kept)
    {
        lock (_gate)
        {
            return kept.ToString();
        }
    }

    private async Task KeepAsync(HttpContext context, StringBuilder kept)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        lock (_gate)
        {
            kept.Append(Encoding.Latin1.GetString(body.ToArray()));
        }

        // A response message without fields is no bytes at all.
        context.Response.StatusCode = context.Request.ContentType == Protobuf ? StatusCodes.Status200OK : StatusCodes.Status415UnsupportedMediaType;
        context.Response.ContentType = Protobuf;
    }
}
