namespace Gateway.Hosting;

/// <summary>One line per request. The path without the query: a query can carry what nobody should read in a log.</summary>
internal sealed partial class RequestLog(RequestDelegate next, TimeProvider time, ILogger<RequestLog> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            var level = context.Request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase) ? LogLevel.Debug : LogLevel.Information;
            if (logger.IsEnabled(level))
            {
                var duration = time.GetElapsedTime(started).TotalMilliseconds;
                Log.Request(logger, level, context.Request.Method, context.Request.Path, context.Response.StatusCode, duration);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5001, Message = "{Method} {Path} {StatusCode} in {DurationMs:0.0} ms")]
        public static partial void Request(ILogger logger, LogLevel level, string method, PathString path, int statusCode, double durationMs);
    }
}
