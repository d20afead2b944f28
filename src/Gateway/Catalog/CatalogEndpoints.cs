using Gateway.Problems;

namespace Gateway.Catalog;

internal static class CatalogEndpoints
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>What can come instead of a catalog.</summary>
    private static readonly Problem[] Failures =
    [
        Problem.InvalidParameter, Problem.Unauthenticated, Problem.ProductNotFound, Problem.InternalError, Problem.UpstreamRejected,
        Problem.TokenUnavailable, Problem.UpstreamTimedOut,
    ];

    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        Describe(routes.MapMethods(
            "/catalog", Methods, (HttpContext context, CatalogQuestionReader reader, CatalogAggregator aggregator) =>
                AnswerAsync(context, productId: null, reader, aggregator)))
            .WithSummary("What can this customer buy here, and what does it cost?")
            .WithDescription(
                "Lists the components (plans, add-ons, charges) of Billing products, each with Paymentwall's price for the customer's "
                + "country. An item is never dropped because its price is missing: `price.status` says what became of it.");
        Describe(routes.MapMethods(
            "/catalog/{productId}", Methods, (HttpContext context, string productId, CatalogQuestionReader reader, CatalogAggregator aggregator) =>
                AnswerAsync(context, productId, reader, aggregator)))
            .WithSummary("The same for one product.")
            .WithDescription("As `GET /catalog?product={productId}`.");
    }

    private static RouteHandlerBuilder Describe(RouteHandlerBuilder endpoint)
    {
        endpoint.WithTags("Catalog").Produces<CatalogResponse>();
        foreach (var status in Failures.Select(problem => problem.Status).Distinct())
        {
            endpoint.Produces<ProblemResponse>(status, "application/problem+json");
        }

        return endpoint;
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, string? productId, CatalogQuestionReader reader, CatalogAggregator aggregator)
    {
        if (reader.Read(context.Request, productId, out var question) is { } invalid)
        {
            return invalid;
        }

        var (response, problem) = await aggregator.AskAsync(question!, context.RequestAborted);
        if (problem is not null)
        {
            return new ProblemResult(problem);
        }

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(response!, CatalogJsonContext.Wire.CatalogResponse);
    }
}
