using Gateway.Configuration;
using Gateway.Problems;
using Microsoft.AspNetCore.Cors;

namespace Gateway.Catalog.Drift;

/// <summary><c>GET /admin/price-drift</c> (role <c>admin</c>): what this replica has seen of prices that differ and of SKUs that are missing.</summary>
internal static class PriceDriftEndpoints
{
    public static void MapPriceDrift(this IEndpointRouteBuilder routes) => routes
        .MapGet("/admin/price-drift", (HttpContext context, PriceDrift drift) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return TypedResults.Json(
                new PriceDriftResponse { Drift = drift.Items, WithoutSku = drift.WithoutSku, NotFound = drift.NotFound },
                PriceDriftJsonContext.Default.PriceDriftResponse);
        })
        .RequireAuthorization(Roles.Admin)
        .WithMetadata(new DisableCorsAttribute())
        .WithGroupName(Roles.Admin)
        .WithTags("Administration")
        .WithSummary("Where Billing and Paymentwall disagree about money, as this replica has seen it.")
        .WithDescription("What has not been seen for a day is forgotten.")
        .Produces<PriceDriftResponse>()
        .ProducesProblems(Problem.Unauthenticated, Problem.Forbidden, Problem.TooManyRequests);
}
