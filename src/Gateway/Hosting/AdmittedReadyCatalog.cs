using Gateway.Catalog;

namespace Gateway.Hosting;

/// <summary>
/// The same behind authentication and rate limits, for requests with an API key and for all where the catalog has a rate limit: what
/// follows is not for a ready answer.
/// </summary>
internal sealed class AdmittedReadyCatalog(RequestDelegate next, KnownRequests requests, CatalogAnswers answers, CatalogHeaders headers)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (requests.Find(context) is not { } known || answers.TryGetReady(known.Question) is not { } ready)
        {
            return next(context);
        }

        headers.SetVary(context.Response);
        CatalogFacts.Of(CatalogFacts.Ready, ready.Completeness).Describe(context);
        return CatalogEndpoints.WriteReadyAsync(context, ready, known.Question, known.Coding, headers);
    }
}
