using Gateway.Problems;
using Microsoft.AspNetCore.Diagnostics;

namespace Gateway.Hosting;

/// <summary>Turns what no endpoint answered (a bug, no route, wrong method) into the problems of the table.</summary>
internal static class ProblemHandling
{
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerExceptionAsync });
        app.UseStatusCodePages(context => AnswerStatusAsync(context.HttpContext));
    }

    private static Task AnswerExceptionAsync(HttpContext context)
    {
        var exception = context.Features.Get<IExceptionHandlerFeature>()?.Error;
        var result = exception is BadHttpRequestException bad
            ? FromStatus(bad.StatusCode) ?? new ProblemResult(Problem.InvalidParameter, "The request could not be read.")
            : new ProblemResult(Problem.InternalError);
        return result.ExecuteAsync(context);
    }

    private static Task AnswerStatusAsync(HttpContext context) =>
        FromStatus(context.Response.StatusCode)?.ExecuteAsync(context) ?? Task.CompletedTask;

    private static ProblemResult? FromStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => new ProblemResult(Problem.Unauthenticated),
        StatusCodes.Status403Forbidden => new ProblemResult(Problem.Forbidden),
        StatusCodes.Status404NotFound => new ProblemResult(Problem.RouteNotFound),
        StatusCodes.Status405MethodNotAllowed => new ProblemResult(Problem.MethodNotAllowed),
        StatusCodes.Status413PayloadTooLarge => new ProblemResult(Problem.TooLarge),
        _ => null,
    };
}
