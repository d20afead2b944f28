using System.Diagnostics;
using Gateway.Catalog;
using Gateway.Hosting.Draining;
using Gateway.Hosting.Observability;
using Gateway.Hosting.Security;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// In front of everything: answers what was asked before and whose answer is ready. One look at the request, one at the answer, one at
/// the client's limit, one write. What it cannot answer in passing goes the long way, which comes to the same: a request with an API
/// key (whose limits are its own), one that has to wait for its limit or is beyond it, one that is to be logged, and all while draining.
/// </summary>
internal sealed class ReadyCatalog(
    RequestDelegate next, KnownRequests requests, CatalogAnswers answers, CatalogHeaders headers, AnswerHeaders always, CorsHeaders cors,
    ClientLimits limits, Drain drain, IOptions<RequestLogOptions> log)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (requests.Find(context) is not { } known
            || answers.TryGetReady(known.Question) is not { } ready
            || context.Request.Headers.ContainsKey(ApiKeyHandler.HeaderName)
            || drain.HasBegun)
        {
            return next(context);
        }

        var isLogged = Random.Shared.NextDouble() < log.Value.WarmRequestLogSampling;
        if (isLogged || !limits.Admits(context))
        {
            RequestLog.Choose(context, isLogged);
            return next(context);
        }

        return WriteAsync(context, known, ready);
    }

    private Task WriteAsync(HttpContext context, KnownRequest known, ReadyAnswer ready)
    {
        // For the server's own metrics.
        context.SetEndpoint(known.Endpoint);
        headers.SetVary(context.Response);
        always.SetForData(context.Response.Headers);
        cors.Set(context);
        var written = CatalogEndpoints.WriteReadyAsync(context, ready, known.Question, known.Coding, headers);
        if (Activity.Current is { } span)
        {
            RequestLog.Describe(span, context, CatalogFacts.Of(CatalogFacts.Ready, ready.Completeness));
        }

        return written.IsCompletedSuccessfully ? written : CountAsync(written);
    }

    /// <summary>To a client that is slow to read: a drain waits for it, and says so.</summary>
    private async Task CountAsync(Task written)
    {
        drain.Enter();
        try
        {
            await written;
        }
        finally
        {
            drain.Leave();
        }
    }
}
