using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Security;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary><c>GET /catalog</c> and <c>GET /catalog/{productId}</c>.</summary>
internal sealed class CatalogEndpoints(
    CatalogRequestParser parser, RequestParseCache requests, RenderedCatalogCache catalogs, UpstreamBulkhead bulkhead, CatalogHeaders headers, TimeProvider time)
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>What can come instead of a catalog.</summary>
    private static readonly Problem[] Failures =
    [
        Problem.InvalidParameter, Problem.Unauthenticated, Problem.Forbidden, Problem.ProductNotFound, Problem.TooManyRequests, Problem.InternalError,
        Problem.UpstreamRejected, Problem.TokenUnavailable, Problem.UpstreamTimedOut,
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var needsKey = routes.ServiceProvider.GetRequiredService<IOptions<SecurityOptions>>().Value.RequireKeyForCatalog;
        Describe(needsKey, routes.MapMethods("/catalog", Methods, (HttpContext context, CatalogEndpoints catalog) => catalog.GetAsync(context, productId: null)))
            .WithSummary("What can this customer buy here, and what does it cost?")
            .WithDescription(
                "Lists the components (plans, add-ons, charges) of Billing products, each with Paymentwall's price for the customer's "
                + "country. An item is never dropped because its price is missing: `price.status` says what became of it.");
        Describe(needsKey, routes.MapMethods(
            "/catalog/{productId}", Methods, (HttpContext context, string productId, CatalogEndpoints catalog) => catalog.GetAsync(context, productId)))
            .WithSummary("The same for one product.")
            .WithDescription("As `GET /catalog?product={productId}`.");
    }

    private static RouteHandlerBuilder Describe(bool needsKey, RouteHandlerBuilder endpoint)
    {
        _ = needsKey ? endpoint.RequireAuthorization(Roles.AnyKey) : endpoint.AllowAnonymous();
        return endpoint.WithTags("Catalog").Produces<CatalogResponse>().Produces(StatusCodes.Status304NotModified).ProducesProblems(Failures);
    }

    private async Task<IResult> GetAsync(HttpContext context, string? productId)
    {
        headers.SetVary(context.Response);
        if (parser.Parse(context.Request, productId, out var request) is { } invalid)
        {
            return invalid;
        }

        if (catalogs.TryGetCurrent(request!) is { } current)
        {
            requests.Remember(context, request!);
            return new RenderedCatalogResult(current, request!, headers, CatalogCacheStatus.Ready);
        }

        var started = time.GetTimestamp();
        var needsNoSlot = false;
        var client = ClientIdentity.Of(context);
        using var slot = bulkhead.TryEnter(client) ?? ((needsNoSlot = catalogs.IsInMemory(request!)) ? null : await bulkhead.EnterAsync(client, context.RequestAborted));
        if (slot is null && !needsNoSlot)
        {
            Metrics.RequestsShed.Add(1, Metrics.Tag("kind", "catalog"));
            return new ProblemResult(Problem.Overloaded);
        }

        var result = await catalogs.AggregateAsync(request!, context.RequestAborted);
        var shares = result.Timings.Between(started, time.GetTimestamp(), time);
        context.Response.Headers[RequestTimings.HeaderName] = RequestTimings.Header(shares);
        foreach (var (phase, duration) in shares)
        {
            Metrics.CatalogPhase.Record(duration.TotalSeconds, Metrics.Tag("phase", phase));
        }

        var cache = result.IsHit ? CatalogCacheStatus.Cached : CatalogCacheStatus.Loaded;
        if (result.Catalog is { } catalog)
        {
            return new RenderedCatalogResult(catalog, request!, headers, cache);
        }

        CatalogCacheStatus.Of(cache, CatalogCacheStatus.Failed).Record(context);
        return new ProblemResult(result.Problem!);
    }
}
