using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Gateway.Problems;

/// <summary>Writes a <see cref="Problem"/> as the response.</summary>
/// <param name="problem">The row of the table.</param>
/// <param name="detail">This occurrence in words; never text of an upstream's.</param>
/// <param name="parameter">The offending parameter.</param>
/// <param name="retryAfter">When to try again; default 1 s where the problem is retriable. Rounded up to whole seconds.</param>
/// <param name="allow">The methods that are allowed, where the router does not say them.</param>
internal sealed partial class ProblemResult(Problem problem, string? detail = null, string? parameter = null, TimeSpan? retryAfter = null, string? allow = null)
    : IResult
{
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = problem.Status;
        response.Headers.CacheControl = "no-store";
        if (problem.IsRetriable)
        {
            var seconds = Math.Max(1, (long)Math.Ceiling((retryAfter ?? DefaultRetryAfter).TotalSeconds));
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (allow is not null)
        {
            response.Headers.Allow = allow;
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "ApiKey realm=\"gateway\", header=\"X-Api-Key\"";
        }

        var body = new ProblemResponse
        {
            Type = problem.Type,
            Title = problem.Title,
            Status = problem.Status,
            Detail = detail,
            Code = problem.Code,
            Parameter = parameter,
            TraceId = Activity.Current?.TraceId.ToHexString() ?? httpContext.TraceIdentifier,
        };
        return response.WriteAsJsonAsync(
            body, ProblemJsonContext.Default.ProblemResponse, "application/problem+json", httpContext.RequestAborted);
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    [JsonSerializable(typeof(ProblemResponse))]
    private sealed partial class ProblemJsonContext : JsonSerializerContext;
}
