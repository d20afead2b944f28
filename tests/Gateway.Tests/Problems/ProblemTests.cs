using Gateway.Problems;

namespace Gateway.Tests.Problems;

public sealed class ProblemTests
{
    /// <summary>The table of the design, row by row.</summary>
    private static readonly Dictionary<string, int> Contract = new(StringComparer.Ordinal)
    {
        ["invalidParameter"] = 400,
        ["unauthenticated"] = 401,
        ["forbidden"] = 403,
        ["productNotFound"] = 404,
        ["routeNotFound"] = 404,
        ["methodNotAllowed"] = 405,
        ["tooLarge"] = 413,
        ["tooManyRequests"] = 429,
        ["upstreamRejected"] = 502,
        ["upstreamBadPayload"] = 502,
        ["upstreamUnreachable"] = 502,
        ["upstreamOutcomeUnknown"] = 502,
        ["tokenUnavailable"] = 503,
        ["circuitOpen"] = 503,
        ["pricesUnavailable"] = 503,
        ["overloaded"] = 503,
        ["upstreamTimedOut"] = 504,
        ["internalError"] = 500,
    };

    [Fact]
    public void The_table_has_exactly_the_codes_and_statuses_of_the_design() =>
        Assert.Equal(
            Contract.OrderBy(row => row.Key, StringComparer.Ordinal),
            Problem.All.Select(problem => KeyValuePair.Create(problem.Code, problem.Status)).OrderBy(row => row.Key, StringComparer.Ordinal));

    [Fact]
    public void The_table_lists_every_problem_there_is() =>
        Assert.Equal(
            typeof(Problem).GetFields().Where(field => field.FieldType == typeof(Problem)).Select(field => field.GetValue(null)).ToHashSet(),
            Problem.All.ToHashSet<object?>());

    [Fact]
    public void Codes_are_unique_and_camel_case()
    {
        Assert.Equal(Problem.All.Count, Problem.All.Select(problem => problem.Code).Distinct(StringComparer.Ordinal).Count());
        Assert.All(Problem.All, problem => Assert.Matches("^[a-z]+([A-Z][a-z]+)*$", problem.Code));
        Assert.All(Problem.All, problem => Assert.Equal("urn:gateway:problem:" + problem.Code, problem.Type));
    }

    [Fact]
    public void Exactly_429_and_503_can_be_retried() =>
        Assert.All(Problem.All, problem => Assert.Equal(problem.Status is 429 or 503, problem.IsRetriable));
}
