using Gateway.Catalog;

namespace Gateway.Hosting;

/// <summary>
/// The same behind the limits, for who had to wait for one (a client that comes seldom, for every request) or has an API key: what
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
        context.Features.Set(CatalogFacts.Of(CatalogFacts.Ready, ready.Completeness));
        return CatalogEndpoints.WriteReadyAsync(context, ready, known.Question, known.Coding, headers);
    }
}
