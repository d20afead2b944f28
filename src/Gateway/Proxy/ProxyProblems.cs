using Gateway.Problems;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Proxy;

/// <summary>
/// What YARP could not forward, and answers that must not pass, as problems of the table. Outside the request time-outs, so that a
/// time-out of ours can be told from a client that left.
/// </summary>
internal sealed class ProxyProblems(RequestDelegate next)
{
    private static readonly object Replacement = new();

    /// <summary>The answer that is being passed on is to be this problem instead.</summary>
    public static void Replace(HttpContext context, Problem problem) => context.Items[Replacement] = problem;

    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var problem = context.Items[Replacement] as Problem
            ?? (context.Features.Get<IForwarderErrorFeature>() is { } error ? Translate(error) : null);
        if (problem is not null)
        {
            context.Response.Clear();
            await new ProblemResult(problem).ExecuteAsync(context);
        }
    }

    private static Problem? Translate(IForwarderErrorFeature error) => error.Error switch
    {
        ForwarderError.None => null,
        _ when error.Exception is BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }
            or AggregateException { InnerException: BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } } => Problem.TooLarge,

        // The client is still there, so it was our own time that ran out.
        ForwarderError.RequestTimedOut or ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled => Problem.UpstreamTimedOut,
        ForwarderError.RequestBodyClient => Problem.InvalidParameter,
        _ => Problem.UpstreamUnreachable,
    };
}
