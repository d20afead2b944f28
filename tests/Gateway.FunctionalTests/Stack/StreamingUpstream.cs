using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.FunctionalTests.Stack;

/// <summary>An upstream of the test's own: large bodies, and events that are sent when the test says so.</summary>
internal sealed class StreamingUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SemaphoreSlim _event = new(0);

    private StreamingUpstream(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single() + "/";

    public static async Task<StreamingUpstream> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var upstream = new StreamingUpstream(builder.Build());
        upstream._app.MapGet("/large/{megabytes:int}", SendLargeAsync);
        upstream._app.MapPost("/count", (Delegate)CountAsync);
        upstream._app.MapGet("/events", upstream.SendEventsAsync);
        await upstream._app.StartAsync(TestContext.Current.CancellationToken);
        return upstream;
    }

    /// <summary>Lets the next event go.</summary>
    public void SendEvent() => _event.Release();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _event.Dispose();
    }

    private static async Task SendLargeAsync(HttpContext context, int megabytes)
    {
        var block = new byte[1024 * 1024];
        for (var sent = 0; sent < megabytes; sent++)
        {
            await context.Response.Body.WriteAsync(block, context.RequestAborted);
        }
    }

    private static async Task<string> CountAsync(HttpContext context)
    {
        var buffer = new byte[64 * 1024];
        var total = 0L;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            total += read;
        }

        return total.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task SendEventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        for (var number = 1; number <= 3; number++)
        {
            await _event.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"data: {(char)('0' + number)}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
