using System.Security.Cryptography;
using Gateway.Simulator.Hosting;
using Gateway.Simulator.Requests;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Simulator.Faults;

/// <summary>Stands before authentication: a broken upstream is broken for every caller.</summary>
internal sealed class FaultMiddleware(
    string upstream, FaultBoard board, RequestLog log, TimeProvider timeProvider, CancellationToken stopping)
{
    // Cutting at once may discard what was written: on loopback this is ample for it to arrive.
    private static readonly TimeSpan TimeToArrive = TimeSpan.FromMilliseconds(50);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (board.Take(RequestTarget.Raw(context.Request)) is not var (fault, cleared))
        {
            await next(context);
            return;
        }

        var record = context.Features.GetRequiredFeature<RequestRecord>();
        record.Faulted = true;
        using var left = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await WaitAsync(fault, cleared, left.Token);
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            Cut(context, record);
            return;
        }

        if (fault.Drop)
        {
            Cut(context, record);
            return;
        }

        context.Response.OnStarting(() =>
        {
            LayOver(fault, context.Response.Headers);
            return Task.CompletedTask;
        });
        await AnswerAsync(fault, context, record, next);
    }

    private async Task WaitAsync(Fault fault, Task cleared, CancellationToken left)
    {
        var jitter = fault.JitterMs is { } most and > 0 ? RandomNumberGenerator.GetInt32(most + 1) : 0;
        var latency = (fault.LatencyMs ?? 0) + jitter;
        if (latency > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(latency), timeProvider, left);
        }

        if (fault.Hang)
        {
            await cleared.WaitAsync(left);
        }
    }

    private async Task AnswerAsync(Fault fault, HttpContext context, RequestRecord record, RequestDelegate next)
    {
        var given = fault.Given;
        if (fault.Status is null && given is null)
        {
            if (fault.Truncate)
            {
                var answer = await RealAnswerAsync(context, next);
                await TruncateAsync(context, record, answer);
            }
            else if (fault.PadBytes is { } pad)
            {
                var answer = await RealAnswerAsync(context, next);
                await PadAsync(context, answer, pad);
            }
            else
            {
                await next(context);
            }

            return;
        }

        var status = fault.Status ?? StatusCodes.Status200OK;
        byte[] body = given is not null ? given
            : status >= 400 ? Answers.Error(upstream, status, ReasonPhrases.GetReasonPhrase(status)) : [];
        context.Response.StatusCode = status;
        if (fault.Truncate)
        {
            context.Response.ContentType = Answers.Json;
            await TruncateAsync(context, record, body);
        }
        else if (fault.PadBytes is { } pad)
        {
            context.Response.ContentType = Answers.Json;
            await PadAsync(context, body, pad);
        }
        else if (body.Length > 0)
        {
            await Answers.SendAsync(context, status, body);
        }
        else if (status is not (204 or 205 or 304))
        {
            context.Response.ContentLength = 0;
        }
    }

    private static async Task<byte[]> RealAnswerAsync(HttpContext context, RequestDelegate next)
    {
        var wire = context.Response.Body;
        using var buffer = new MemoryStream();
        context.Response.Body = buffer;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = wire;
        }

        return buffer.ToArray();
    }

    private static async Task PadAsync(HttpContext context, byte[] body, int bytes)
    {
        context.Response.ContentLength = null;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        var block = new byte[64 * 1024];
        Array.Fill(block, (byte)' ');
        try
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
            for (var left = bytes; left > 0; left -= block.Length)
            {
                await context.Response.Body.WriteAsync(block.AsMemory(0, Math.Min(left, block.Length)), context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has had enough.
        }
    }

    private async Task TruncateAsync(HttpContext context, RequestRecord record, byte[] body)
    {
        // An empty body cannot be cut short: promise something and send nothing of it.
        context.Response.ContentLength = Math.Max(body.Length, 64);
        record.StatusCode = context.Response.StatusCode;
        log.Abort(record);
        try
        {
            await context.Response.StartAsync(context.RequestAborted);
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await context.Response.Body.WriteAsync(body.AsMemory(0, body.Length / 2), context.RequestAborted);
            }

            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(TimeToArrive, timeProvider, context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The client left by itself: cut all the same.
        }

        context.Abort();
    }

    private void Cut(HttpContext context, RequestRecord record)
    {
        log.Abort(record);
        context.Abort();
    }

    private static void LayOver(Fault fault, IHeaderDictionary headers)
    {
        if (fault.ContentType is not null)
        {
            headers.ContentType = fault.ContentType;
        }

        if (fault.RetryAfter is not null)
        {
            headers.RetryAfter = fault.RetryAfter;
        }

        foreach (var (name, value) in fault.Headers ?? new Dictionary<string, string>())
        {
            headers[name] = value;
        }
    }
}
