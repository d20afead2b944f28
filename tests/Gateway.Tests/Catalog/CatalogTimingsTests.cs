using Gateway.Observability;
using Gateway.Problems;

namespace Gateway.Tests.Catalog;

/// <summary>An answer that failed or is incomplete says what was waited for: that is when somebody asks.</summary>
public sealed class CatalogTimingsTests
{
    [Theory]
    [InlineData(3, 3)]
    [InlineData(8, 5)]
    public async Task A_token_server_that_hangs_is_what_was_waited_for(int deadlineSeconds, int waitedSeconds)
    {
        using var test = new CatalogUnderTest(TimeSpan.FromSeconds(deadlineSeconds));
        test.Tokens.Hangs = true;

        var (problem, shares) = await AskAsync(test, () => test.Tokens.Requests == 1, TimeSpan.FromSeconds(waitedSeconds));

        Assert.Equal(Problem.TokenUnavailable, problem);
        Assert.Equal((waitedSeconds, 0, 0), (shares[RequestTimings.Token], shares[RequestTimings.Billing], shares[RequestTimings.Gateway]));
    }

    [Fact]
    public async Task A_Billing_that_hangs_is_what_was_waited_for()
    {
        using var test = new CatalogUnderTest(TimeSpan.FromSeconds(2));
        test.Billing.Hold();

        var (problem, shares) = await AskAsync(test, () => test.Calls.Billing == 1, TimeSpan.FromSeconds(2));

        Assert.Equal(Problem.UpstreamTimedOut, problem);
        Assert.Equal((0, 2, 0), (shares[RequestTimings.Token], shares[RequestTimings.Billing], shares[RequestTimings.Gateway]));
    }

    [Fact]
    public async Task A_Paymentwall_that_hangs_is_what_was_waited_for()
    {
        using var test = new CatalogUnderTest(TimeSpan.FromSeconds(1));
        test.Paymentwall.Hold();

        var (problem, shares) = await AskAsync(test, () => test.Calls.Paymentwall == 2, TimeSpan.FromSeconds(1));

        Assert.Null(problem);
        Assert.Equal((0, 1, 0), (shares[RequestTimings.Billing], shares[RequestTimings.Paymentwall], shares[RequestTimings.Gateway]));
    }

    /// <summary>Asks, lets the time pass once that which hangs has been asked, and returns seconds by phase.</summary>
    private static async Task<(Problem? Problem, IReadOnlyDictionary<string, double> Shares)> AskAsync(CatalogUnderTest test, Func<bool> isHanging, TimeSpan time)
    {
        var started = test.Time.GetTimestamp();
        var asked = test.AskAsync();
        await Quiet.UntilAsync(isHanging);
        await Quiet.SettleAsync();
        test.Time.Advance(time);
        var outcome = await asked;
        return (
            outcome.Problem,
            outcome.Timings.Between(started, test.Time.GetTimestamp(), test.Time).ToDictionary(share => share.Phase, share => share.Duration.TotalSeconds, StringComparer.Ordinal));
    }
}
