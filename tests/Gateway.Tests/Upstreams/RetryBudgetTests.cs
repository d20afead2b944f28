using Gateway.Upstreams;

namespace Gateway.Tests.Upstreams;

public sealed class RetryBudgetTests
{
    [Fact]
    public void Ten_retries_are_saved_up_and_no_more()
    {
        var budget = new RetryBudget();
        Earn(budget, 1_000);

        Assert.Equal(10, Spend(budget));
        Assert.False(budget.TrySpend());
    }

    [Fact]
    public void Ten_calls_earn_one_retry()
    {
        var budget = new RetryBudget();
        Spend(budget);

        Earn(budget, 9);
        Assert.False(budget.TrySpend());

        Earn(budget, 1);
        Assert.True(budget.TrySpend());
        Assert.False(budget.TrySpend());
    }

    [Fact]
    public void A_refused_retry_costs_nothing()
    {
        var budget = new RetryBudget();
        Spend(budget);
        Earn(budget, 5);
        Assert.Equal(0, Spend(budget));

        Earn(budget, 5);

        Assert.Equal(1, Spend(budget));
    }

    [Fact]
    public async Task Concurrent_callers_never_spend_more_than_there_is()
    {
        var budget = new RetryBudget();

        var spent = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Spend(budget), TestContext.Current.CancellationToken)));

        Assert.Equal(10, spent.Sum());
    }

    private static void Earn(RetryBudget budget, int calls)
    {
        for (var call = 0; call < calls; call++)
        {
            budget.Earn();
        }
    }

    private static int Spend(RetryBudget budget)
    {
        var spent = 0;
        while (budget.TrySpend())
        {
            spent++;
        }

        return spent;
    }
}
