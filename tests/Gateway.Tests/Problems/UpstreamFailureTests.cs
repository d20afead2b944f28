using System.Text.Json;
using Gateway.Problems;

namespace Gateway.Tests.Problems;

public sealed class UpstreamFailureTests
{
    [Theory]
    [InlineData("timeout", "upstreamTimedOut")]
    [InlineData("unreachable", "upstreamUnreachable")]
    [InlineData("rejected", "upstreamRejected")]
    [InlineData("badPayload", "upstreamBadPayload")]
    [InlineData("throttled", "upstreamRejected")]
    [InlineData("circuitOpen", "circuitOpen")]
    [InlineData("tokenUnavailable", "tokenUnavailable")]
    public void Every_failure_has_a_name_and_a_problem(string name, string problem)
    {
        var failure = Assert.Single(Enum.GetValues<UpstreamFailure>(), f => JsonSerializer.Serialize(f) == $"\"{name}\"");

        Assert.Equal(problem, failure.ToProblem().Code);
        Assert.Equal(7, Enum.GetValues<UpstreamFailure>().Length);
    }

    [Fact]
    public void A_failure_outside_the_set_is_a_bug() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ((UpstreamFailure)99).ToProblem());

    [Fact]
    public void Every_problem_of_a_failure_is_in_the_table() =>
        Assert.All(Enum.GetValues<UpstreamFailure>(), failure => Assert.Contains(failure.ToProblem(), Problem.All));
}
