namespace Gateway.Simulator.Requests;

/// <summary>
/// Outermost middleware of an upstream: records, counts and logs each request. The record is complete, and the request no
/// longer in flight, before the first byte of the answer leaves: whoever has read an answer finds it in the log.
/// </summary>
internal sealed partial class RequestRecorder(string upstream, RequestLog? log, ILogger logger)
{
    /// <summary>Short, for a readable console; <c>--Logging:LogLevel:Simulator=Warning</c> silences it.</summary>
    public const string LogCategory = "Simulator";

    /// <summary>Pattern of the endpoint that answers what no other does.</summary>
    public const string OtherPattern = "{**other}";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var record = log?.Begin(context.Request, Endpoint(context));
        if (record is not null)
        {
            context.Features.Set(record);
            context.Response.OnStarting(() =>
            {
                // Kestrel comes here for an aborted connection too, with a status that nobody gets.
                if (!record.Aborted)
                {
                    record.StatusCode = context.Response.StatusCode;
                }

                log!.End(record);
                return Task.CompletedTask;
            });
        }

        var left = false;
        try
        {
            await next(context);
            left = !context.Response.HasStarted && context.RequestAborted.IsCancellationRequested;
        }
        catch (Exception exception) when (context.RequestAborted.IsCancellationRequested
            && exception is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // The client left: nobody is there to be answered.
            left = true;
        }
        finally
        {
            if (record is not null)
            {
                record.Aborted |= left;
                if (!record.Aborted)
                {
                    record.StatusCode = context.Response.StatusCode;
                }

                log!.End(record);
            }

            var (path, query) = RequestTarget.Split(context.Request);
            var outcome = left || record is { Aborted: true } ? "aborted" : $"{context.Response.StatusCode}";
            Log.Answered(logger, upstream, context.Request.Method, RequestTarget.Redacted(path, query), outcome);
        }
    }

    private static string Endpoint(HttpContext context)
    {
        var pattern = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        return $"{context.Request.Method} {(pattern is null or OtherPattern ? "(other)" : pattern)}";
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Upstream} {Method} {Target} {Outcome}")]
        public static partial void Answered(ILogger logger, string upstream, string method, string target, string outcome);
    }
}
