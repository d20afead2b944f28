using Gateway.Problems;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Proxy;

/// <summary>
/// What YARP could not forward, and answers that must not pass, as problems of the table. Outside the request time-outs, so that a
/// time-out of ours can be told from a client that left.
/// </summary>
internal sealed partial class ProxyProblems(RequestDelegate next, ILogger<ProxyProblems> logger)
{
    private static readonly object Replacement = new();

    /// <summary>The answer that is being passed on is to be this problem instead.</summary>
    public static void Replace(HttpContext context, Problem problem) => context.Items[Replacement] = problem;

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (context.Features.Get<IForwarderErrorFeature>() is { } failed && IsEcho(failed.Exception))
        {
            Log.Withheld(logger, context.GetReverseProxyFeature().Route.Config.RouteId, context.Response.HasStarted ? "cut off" : "withheld");
        }

        if (context.Response.HasStarted)
        {
            return;
        }

        if (context.RequestAborted.IsCancellationRequested)
        {
            // For log and metrics: nobody reads it.
            context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }

        var problem = context.Items[Replacement] as Problem
            ?? (context.Features.Get<IForwarderErrorFeature>() is { } error ? Translate(error, context.Request.Method) : null);
        if (problem is not null)
        {
            context.Response.Clear();
            await new ProblemResult(problem).ExecuteAsync(context);
        }
    }

    private static Problem? Translate(IForwarderErrorFeature error, string method) => error.Error switch
    {
        ForwarderError.None => null,
        _ when IsEcho(error.Exception) => Problem.UpstreamRejected,
        _ when error.Exception is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
            or AggregateException { InnerException: BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } } => Problem.TooLarge,

        // The client is still there, so it was our own time that ran out.
        ForwarderError.RequestTimedOut or ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled => Problem.UpstreamTimedOut,
        ForwarderError.RequestBodyClient => Problem.InvalidParameter,
        ForwarderError.Request or ForwarderError.RequestBodyDestination when !new HttpMethod(method).IsIdempotent() && !NeverLeft(error.Exception) => Problem.UpstreamOutcomeUnknown,
        _ => Problem.UpstreamUnreachable,
    };

    /// <summary>There was no connection to send it on.</summary>
    private static bool NeverLeft(Exception? exception) =>
        exception is null or HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
        }
        || (exception is AggregateException several && several.InnerExceptions.Any(NeverLeft));

    /// <summary>Together with what befell the request's body, if it was still on its way.</summary>
    private static bool IsEcho(Exception? exception) =>
        exception is TokenEchoException || exception is AggregateException several && several.InnerExceptions.Any(IsEcho);

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Warning, "An upstream's answer on the route {Route} held the access token of its request and was {Done}")]
        public static partial void Withheld(ILogger logger, string route, string done);
    }
}
