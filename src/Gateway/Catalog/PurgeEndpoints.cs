using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Problems;

namespace Gateway.Catalog;

/// <summary><c>POST /admin/cache/purge</c>: what was cached of a product, of a SKU, or of everything.</summary>
internal static class PurgeEndpoints
{
    private const string Allowed = "exactly one of product=ID, sku=SKU and all=true";

    private static readonly string[] Selectors = ["product", "sku", "all"];

    public static void MapPurge(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/admin/cache/purge", PurgeAsync)
            .RequireAuthorization(Roles.Admin)
            .WithGroupName(Roles.Admin)
            .WithTags("Administration")
            .WithSummary("Forgets what is cached of a product, of a SKU, or of everything, on all replicas.")
            .WithDescription("What is purged is marked stale and asked for again at its next use; with `hard=true` it is deleted.")
            .Produces<PurgeResponse>(StatusCodes.Status202Accepted)
            .ProducesProblems(Problem.InvalidParameter, Problem.Unauthenticated, Problem.Forbidden, Problem.TooManyRequests);

    private static async Task<IResult> PurgeAsync(HttpContext context, PurgeLog purges)
    {
        if (Read(context.Request.Query, out var scope) is { } invalid)
        {
            return invalid;
        }

        var shared = await purges.PurgeAsync(scope!);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(
            new PurgeResponse(scope!.Tag ?? "all", scope.Hard, shared ? "all" : "this"), PurgeJsonContext.Default.PurgeResponse, statusCode: StatusCodes.Status202Accepted);
    }

    private static ProblemResult? Read(IQueryCollection query, out PurgeScope? scope)
    {
        scope = null;
        var named = Selectors.Where(query.ContainsKey).ToList();
        if (named is not [var name])
        {
            return Invalid("product", "names nothing to purge, or too much");
        }

        if (query[name] is not [{ Length: > 0 } value] || (name == "all" && value != "true") || (name == "product" && !ProductId.IsValid(value)))
        {
            return Invalid(name, "has a value that is not allowed");
        }

        if (query.TryGetValue("hard", out var hard) && hard is not ["true" or "false"])
        {
            return new ProblemResult(Problem.InvalidParameter, "hard has a value that is not allowed. Allowed: true or false.", "hard");
        }

        scope = new PurgeScope(
            name switch
            {
                "product" => CatalogDataCache.ProductTag(value),
                "sku" => CatalogDataCache.SkuTag(value),
                _ => null,
            },
            hard == "true");
        return null;
    }

    private static ProblemResult Invalid(string parameter, string what) =>
        new(Problem.InvalidParameter, $"{parameter} {what}. Allowed: {Allowed}.", parameter);
}

/// <summary>A purge that was accepted.</summary>
/// <param name="Scope">What it is about: <c>product:ID</c>, <c>sku:SKU</c> or <c>all</c>.</param>
/// <param name="Hard">Deleted, rather than marked stale.</param>
/// <param name="Replicas"><c>all</c>, or <c>this</c> where Redis cannot be had; the others then purge everything when it is back.</param>
internal sealed record PurgeResponse(string Scope, bool Hard, string Replicas);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PurgeResponse))]
internal sealed partial class PurgeJsonContext : JsonSerializerContext;
