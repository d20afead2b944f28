using System.Text.Json.Serialization;

namespace Gateway.Problems;

/// <summary>An RFC 9457 problem as it goes over the wire (<c>application/problem+json</c>).</summary>
internal sealed record ProblemResponse
{
    /// <summary>Stable identifier, <c>urn:gateway:problem:CODE</c>.</summary>
    public required string Type { get; init; }

    /// <summary>What kind of problem this is, in words; the same for every occurrence.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status code.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong this time and what would be right, where there is more to say than the title does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    /// <summary>The last part of <c>type</c>, for programs to switch on.</summary>
    public required string Code { get; init; }

    /// <summary>The parameter or header that is wrong; only with <c>invalidParameter</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Parameter { get; init; }

    /// <summary>W3C trace id under which the gateway's log tells the rest.</summary>
    public required string TraceId { get; init; }
}

internal static class ProblemEndpointExtensions
{
    /// <summary>Describes what an endpoint may answer instead.</summary>
    public static RouteHandlerBuilder ProducesProblems(this RouteHandlerBuilder endpoint, params IEnumerable<Problem> problems)
    {
        foreach (var status in problems.Select(problem => problem.Status).Distinct())
        {
            endpoint.Produces<ProblemResponse>(status, "application/problem+json");
        }

        return endpoint;
    }
}
