using Gateway.Admission;
using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

internal static class CatalogEndpoints
{
    private const string ServerTiming = "Server-Timing";

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>What can come instead of a catalog.</summary>
    private static readonly Problem[] Failures =
    [
        Problem.InvalidParameter, Problem.Unauthenticated, Problem.Forbidden, Problem.ProductNotFound, Problem.TooManyRequests, Problem.InternalError,
        Problem.UpstreamRejected, Problem.TokenUnavailable, Problem.UpstreamTimedOut,
    ];

    public static void MapCatalog(this IEndpointRouteBuilder routes)
    {
        var needsKey = routes.ServiceProvider.GetRequiredService<IOptions<SecurityOptions>>().Value.RequireKeyForCatalog;
        Describe(needsKey, routes.MapMethods(
            "/catalog", Methods, (HttpContext context, CatalogQuestionReader reader, KnownRequests requests, CatalogAnswers answers, RequestSlots slots, CatalogHeaders headers, TimeProvider time) =>
                AnswerAsync(context, productId: null, reader, requests, answers, slots, headers, time)))
            .WithSummary("What can this customer buy here, and what does it cost?")
            .WithDescription(
                "Lists the components (plans, add-ons, charges) of Billing products, each with Paymentwall's price for the customer's "
                + "country. An item is never dropped because its price is missing: `price.status` says what became of it.");
        Describe(needsKey, routes.MapMethods(
            "/catalog/{productId}", Methods, (HttpContext context, string productId, CatalogQuestionReader reader, KnownRequests requests, CatalogAnswers answers, RequestSlots slots, CatalogHeaders headers, TimeProvider time) =>
                AnswerAsync(context, productId, reader, requests, answers, slots, headers, time)))
            .WithSummary("The same for one product.")
            .WithDescription("As `GET /catalog?product={productId}`.");
    }

    private static RouteHandlerBuilder Describe(bool needsKey, RouteHandlerBuilder endpoint)
    {
        _ = needsKey ? endpoint.RequireAuthorization(Roles.AnyKey) : endpoint.AllowAnonymous();
        endpoint.WithTags("Catalog").Produces<CatalogResponse>().Produces(StatusCodes.Status304NotModified);
        foreach (var status in Failures.Select(problem => problem.Status).Distinct())
        {
            endpoint.Produces<ProblemResponse>(status, "application/problem+json");
        }

        return endpoint;
    }

    private static async Task<IResult> AnswerAsync(
        HttpContext context, string? productId, CatalogQuestionReader reader, KnownRequests requests, CatalogAnswers answers, RequestSlots slots,
        CatalogHeaders headers, TimeProvider time)
    {
        headers.SetVary(context.Response);
        if (reader.Read(context.Request, productId, out var question) is { } invalid)
        {
            return invalid;
        }

        if (answers.TryGetReady(question!) is { } ready)
        {
            requests.Remember(context, question!);
            CatalogFacts.Of(CatalogFacts.Ready, ready.Completeness).Describe(context);
            await WriteReadyAsync(context, ready, question!, ContentCodings.Negotiate(context.Request.Headers), headers);
            return Results.Empty;
        }

        var started = time.GetTimestamp();
        var needsNone = false;
        var client = ClientIdentity.Of(context);
        using var slot = slots.TryEnter(client) ?? ((needsNone = answers.IsAtHand(question!)) ? null : await slots.EnterAsync(client, context.RequestAborted));
        if (slot is null && !needsNone)
        {
            Metrics.RequestsShed.Add(1, Metrics.Tag("kind", "catalog"));
            return new ProblemResult(Problem.Overloaded);
        }

        var outcome = await answers.AssembleAsync(question!, context.RequestAborted);
        var shares = outcome.Seen!.Between(started, time.GetTimestamp(), time);
        context.Response.Headers[ServerTiming] = Timeline.Header(shares);
        foreach (var (phase, duration) in shares)
        {
            Metrics.CatalogPhase.Record(duration.TotalSeconds, Metrics.Tag("phase", phase));
        }

        var facts = CatalogFacts.Of(outcome.IsHit ? CatalogFacts.Cached : CatalogFacts.Loaded, outcome.Answer?.Completeness ?? "failed");
        facts.Describe(context);
        Count(facts.Cache, facts.Completeness);
        return outcome.Answer is { } answer
            ? new ReadyAnswerResult(answer, headers, question!, outcome.IsHit)
            : new ProblemResult(outcome.Problem!);
    }

    /// <summary>An answer for which nothing had to be done.</summary>
    internal static Task WriteReadyAsync(HttpContext context, ReadyAnswer ready, CatalogQuestion question, ContentCoding coding, CatalogHeaders headers)
    {
        context.Response.Headers[ServerTiming] = "cache;desc=\"hit\"";
        Count(CatalogFacts.Ready, ready.Completeness);
        return ReadyAnswerResult.WriteAsync(context, ready, coding, headers, question, isHit: true);
    }

    private static void Count(string cache, string completeness)
    {
        if (Metrics.CatalogAnswers.Enabled)
        {
            Metrics.CatalogAnswers.Add(1, Metrics.Tag("completeness", completeness), Metrics.Tag("cache", cache));
        }
    }
}
