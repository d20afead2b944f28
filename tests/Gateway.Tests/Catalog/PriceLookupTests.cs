using Gateway.Catalog;
using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Catalog;

public sealed class PriceLookupTests
{
    private readonly List<string> _asked = [];
    private readonly Dictionary<string, UpstreamResult<PaymentwallProduct?>> _answers = new(StringComparer.Ordinal);

    [Fact]
    public async Task Every_distinct_SKU_is_asked_for_once()
    {
        var found = await AskAsync("a", "b", "a", "A", "b", "a");

        Assert.Equal(["a", "b", "A"], _asked);
        Assert.Equal(["A", "a", "b"], found.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_asked_yields_nothing() => Assert.Empty(await AskAsync());

    [Fact]
    public async Task What_follows_a_trial_is_asked_for_once()
    {
        Trial("a", "full");
        Trial("b", "full");

        var found = await AskAsync("a", "b");

        Assert.Equal(["a", "b", "full"], _asked);
        Assert.Equal(["a", "b", "full"], found.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_follows_a_trial_is_not_asked_for_again_if_it_was_asked_for_itself()
    {
        Trial("a", "full");

        await AskAsync("full", "a", "full");

        Assert.Equal(["full", "a"], _asked);
    }

    [Fact]
    public async Task A_chain_of_trials_ends_after_one_hop()
    {
        Trial("a", "b");
        Trial("b", "c");
        Trial("c", "d");

        await AskAsync("a");

        Assert.Equal(["a", "b"], _asked);
    }

    [Fact]
    public async Task A_trial_in_a_chain_that_is_itself_asked_for_takes_its_own_hop()
    {
        Trial("a", "b");
        Trial("b", "c");
        Trial("c", "d");

        await AskAsync("a", "b");

        Assert.Equal(["a", "b", "c"], _asked);
    }

    [Fact]
    public async Task A_cycle_of_trials_ends()
    {
        Trial("a", "b");
        Trial("b", "a");
        Trial("self", "self");

        await AskAsync("a", "b", "self");

        Assert.Equal(["a", "b", "self"], _asked);
    }

    [Fact]
    public async Task A_post_trial_product_without_a_trial_is_not_asked_for()
    {
        _answers["a"] = Given.Found(Given.Product() with { PostTrialSku = "b" });

        await AskAsync("a");

        Assert.Equal(["a"], _asked);
    }

    [Fact]
    public async Task Failures_and_unknown_SKUs_are_answers_too()
    {
        _answers["failing"] = Given.Failed(UpstreamFailure.Throttled);
        _answers["unknown"] = Given.NotFound();

        var found = await AskAsync("failing", "unknown");

        Assert.Equal(UpstreamFailure.Throttled, found["failing"].Failure);
        Assert.True(found["unknown"].TryGet(out var product, out _));
        Assert.Null(product);
    }

    [Fact]
    public async Task Answers_that_come_late_and_out_of_order_are_waited_for_with_what_follows_them()
    {
        var pending = new Dictionary<string, TaskCompletionSource<UpstreamResult<PaymentwallProduct?>>>(StringComparer.Ordinal);
        var book = Book(sku =>
        {
            pending.Add(sku, new TaskCompletionSource<UpstreamResult<PaymentwallProduct?>>());
            return pending[sku].Task;
        });
        book.Ask(["a"]);
        book.Ask(["b"]);
        var closing = book.CloseAsync();

        pending["b"].SetResult(Given.Found(Given.Product() with { IsTrial = true, PostTrialSku = "c" }));
        pending["a"].SetResult(Given.NotFound());
        Assert.False(closing.IsCompleted);
        pending["c"].SetResult(Given.Found(Given.Product("1.00")));

        Assert.Equal(["a", "b", "c"], (await closing).Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Many_askers_at_once_share_one_look_up_each()
    {
        var asked = 0;
        var book = Book(async sku =>
        {
            Interlocked.Increment(ref asked);
            await Task.Yield();
            return Given.Found(Given.Product() with { IsTrial = true, PostTrialSku = sku == "full" ? "end" : "full" });
        });

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () =>
            {
                for (var i = 0; i < 1_000; i++)
                {
                    book.Ask(["sku-" + (i % 100).ToString("D2", provider: null)]);
                }
            },
            TestContext.Current.CancellationToken)));

        Assert.Equal(101, (await book.CloseAsync()).Count);
        Assert.Equal(101, asked);
    }

    private static PriceLookup Book(Func<string, Task<UpstreamResult<PaymentwallProduct?>>> lookUp) => new(skus => [.. skus.Select(lookUp)]);

    private void Trial(string sku, string next) => _answers[sku] = Given.Found(Given.Product() with { IsTrial = true, PostTrialSku = next });

    private Task<IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>>> AskAsync(params string[] skus)
    {
        var book = Book(sku =>
        {
            _asked.Add(sku);
            return Task.FromResult(_answers.GetValueOrDefault(sku, Given.Found(Given.Product())));
        });
        book.Ask(skus);
        return book.CloseAsync();
    }
}
