using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Hosting.Draining;
using Gateway.Hosting.Observability;
using Gateway.Hosting.Security;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// In front of everything: answers what was asked before and whose answer is ready. One look at the request, one at the answer, one
/// write. What it cannot answer in passing goes the long way, which comes to the same: a request with an API key, one that is to be
/// logged, and all while draining. It is not there where the catalog has a rate limit, which only Redis can check.
/// </summary>
internal sealed class ReadyCatalog(
    RequestDelegate next, KnownRequests requests, CatalogAnswers answers, CatalogHeaders headers, AnswerHeaders always, CorsHeaders cors,
    Drain drain, IOptionsMonitor<HostingOptions> log)
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

        var isSampled = Random.Shared.NextDouble() < log.CurrentValue.WarmRequestLogSampling;
        if (isSampled)
        {
            RequestLogging.SetSampled(context, isSampled);
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
        CatalogFacts.Of(CatalogFacts.Ready, ready.Completeness).Describe(context);
        var written = CatalogEndpoints.WriteReadyAsync(context, ready, known.Question, known.Coding, headers);
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
