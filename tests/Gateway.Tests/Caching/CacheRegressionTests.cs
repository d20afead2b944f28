using System.Globalization;
using System.Text;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Security;
using Gateway.Tests.Catalog;

namespace Gateway.Tests.Caching;

public sealed class CacheRegressionTests
{
    /// <summary>Bug 1, cache level.</summary>
    [Fact]
    public async Task What_a_soft_purge_marked_stale_does_not_call_itself_fresh()
    {
        using var test = new CacheUnderTest();
        await test.AskOneAsync();
        await test.PurgeAsync("a", hard: false);

        Assert.False((await test.AskOneAsync()).FreshUntil > test.Time.Monotonic());
    }

    /// <summary>Bug 1, what a client sees.</summary>
    [Fact]
    public async Task After_a_soft_purge_the_answer_changes_as_soon_as_the_refresh_is_there()
    {
        using var test = new CatalogUnderTest();
        await test.AskAsync();
        test.Paymentwall.Body = """{"amount":"8.00","currency":"USD"}""";
        await test.Ledger.PurgeAsync(new PurgeScope("sku:c1", Hard: false));

        await test.AskAsync();
        await Quiet.UntilAsync(() => test.Calls == (1, 3));
        await Quiet.SettleAsync();
        Assert.Equal((1, 3), test.Calls);

        Assert.Contains("\"8.00\"", Encoding.UTF8.GetString((await test.AskAsync()).Catalog!.Identity), StringComparison.Ordinal);
    }

    /// <summary>Was: a refresh that ends by its deadline's cancellation is neither labelled nor paused.</summary>
    [Fact]
    public async Task A_refresh_that_ends_with_its_deadline_is_a_failed_refresh()
    {
        using var test = new CacheUnderTest();
        await test.AskOneAsync();
        test.Time.Advance(test.Ages.FreshFor);
        test.Throwing = true; // the fake then lets its token's cancellation through, as CacheQuery permits
        test.Hold();
        await test.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        test.Time.Advance(CacheUnderTest.LoadTimeout);
        await CacheUnderTest.SettleAsync();

        Assert.NotNull((await test.AskOneAsync()).StaleAsOf);
        await Quiet.UntilAsync(() => test.Loads == 2);
        await CacheUnderTest.SettleAsync();
        Assert.Equal(2, test.Loads);
    }

    /// <summary>Was: after 1,000 tags every purge is a purge of everything, for ever.</summary>
    [Fact]
    public async Task A_purge_of_one_tag_is_of_one_tag_however_many_came_before()
    {
        using var test = new CacheUnderTest();
        for (var number = 0; number < 1_500; number++)
        {
            await test.PurgeAsync(number.ToString(CultureInfo.InvariantCulture), hard: true);
        }

        var before = test.Ledger.Epoch;
        await test.PurgeAsync("1", hard: true);

        Assert.Equal(PurgeVerdict.Valid, test.Ledger.Judge("tag:other", before));
    }

    /// <summary>Was: a version read after the parts hides what changed while the slowest was awaited.</summary>
    [Fact]
    public async Task A_refresh_that_fails_while_another_part_is_awaited_shows_in_the_next_answer()
    {
        using var test = new CatalogUnderTest();
        await test.AskAsync();
        test.Time.Advance(TimeSpan.FromMinutes(1));

        // Prices of p are stale in memory, components of q are cold and slow: the prices' refresh lands while they are awaited.
        test.Billing.Hold();
        test.Paymentwall.Body = """{"amount":"8.00","currency":"USD"}""";
        var slow = test.AskAsync(Given.Request("p", "q"));
        await Quiet.SettleAsync();
        test.Billing.Release();
        await slow;
        await Quiet.SettleAsync();

        Assert.DoesNotContain("\"9.99\"", Encoding.UTF8.GetString((await test.AskAsync(Given.Request("p", "q"))).Catalog!.Identity), StringComparison.Ordinal);
    }

    /// <summary>Was: a caller that joins a refresh after memory was evicted gets its failure, though a usable value is at hand.</summary>
    [Fact]
    public async Task Who_joins_a_refresh_that_fails_gets_the_stale_value()
    {
        using var test = new CacheUnderTest();
        await test.AskOneAsync();
        test.Time.Advance(test.Ages.FreshFor);
        test.Failing = true;
        test.Hold();
        await test.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        test.Memory.Compact(1);
        var joined = test.Ask("a")[0];
        test.Release();

        Assert.Equal("a1", (await joined).Value);
    }

    /// <summary>Was: nothing bounds the wait for a slot, nor how many wait.</summary>
    [Fact]
    public async Task Waiting_for_a_slot_ends_too()
    {
        using var test = new CacheUnderTest(maxConcurrentLoads: 1);
        test.Hold();
        var first = test.Ask("first")[0];
        await Quiet.UntilAsync(() => test.Loads == 1);
        await AdvanceAsync(seconds: 2);
        var second = test.Ask("second")[0];
        await AdvanceAsync(seconds: 1);
        var others = Task.WhenAll(test.Ask([.. Enumerable.Range(0, 20).Select(number => "k" + number.ToString(CultureInfo.InvariantCulture))]));

        // Its time is up, and the one that has waited longest has the slot.
        await AdvanceAsync(seconds: 2);
        Assert.True(first.IsCompleted);
        await Quiet.UntilAsync(() => test.Loads == 2);
        Assert.False(others.IsCompleted);

        // Nobody waits longer for a slot than a load may take: one after the other they would take twenty times as long.
        await AdvanceAsync(seconds: 3);
        Assert.True(others.IsCompleted);
        Assert.False(second.IsCompleted);

        // Who gave up waiting does not load after all.
        await AdvanceAsync(seconds: 2);
        Assert.True(second.IsCompleted);
        await AdvanceAsync(seconds: 30);
        Assert.Equal(2, test.Loads);

        // What a step sets off has happened before the next: the clock must not run ahead of those who read it.
        async Task AdvanceAsync(int seconds)
        {
            await CacheUnderTest.SettleAsync();
            for (var tick = 0; tick < seconds; tick++)
            {
                test.Time.Advance(TimeSpan.FromSeconds(1));
                await CacheUnderTest.SettleAsync();
            }
        }
    }

    /// <summary>Was: one failing SKU is asked for again by every request while anything else in the cache moves.</summary>
    [Fact]
    public async Task What_just_failed_is_not_asked_for_again_because_something_else_changed()
    {
        using var test = new CatalogUnderTest();
        test.Paymentwall.Status = System.Net.HttpStatusCode.Forbidden;
        await test.AskAsync();
        for (var other = 0; other < 10; other++)
        {
            // Anybody's question about any other product.
            await test.AskAsync(Given.Request("other" + other.ToString(CultureInfo.InvariantCulture)) with { Prices = Gateway.Catalog.PriceMode.Skip });
            await test.AskAsync();
        }

        Assert.Equal(2, test.Calls.Paymentwall);
    }

    /// <summary>Was: the hash of nothing (an unset variable in the documented command line) is accepted, and an empty header then is a key.</summary>
    [Fact]
    public void The_hash_of_nothing_is_not_a_key()
    {
        var options = new SecurityOptions
        {
            ApiKeys = [new ApiKeyOptions { Name = "x", Sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Roles = ["admin"] }],
        };

        Assert.True(new SecurityOptionsValidator().Validate(name: null, options).Failed);
    }
}
