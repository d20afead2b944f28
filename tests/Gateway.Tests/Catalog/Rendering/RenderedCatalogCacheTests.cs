using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Problems;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class RenderedCatalogCacheTests : IDisposable
{
    private readonly CatalogUnderTest _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task A_warm_answer_is_the_same_object_and_needs_no_waiting()
    {
        var first = await _test.AskAsync();
        _test.Time.Advance(TimeSpan.FromSeconds(59));

        var again = _test.Answers.TryGetCurrent(Given.Request());

        Assert.NotNull(again);
        Assert.Same(first.Catalog, again);
        Assert.False(first.IsHit);
        Assert.Equal((1, 2), _test.Calls);
    }

    [Fact]
    public async Task Parameters_that_somebody_makes_up_push_no_other_answer_out_of_memory()
    {
        var first = await _test.AskAsync();

        // Several times what memory holds.
        for (var number = 0; number < 4_000; number++)
        {
            await _test.AskAsync(Given.Request() with { IgnoredParameters = ["made-up-" + number.ToString(CultureInfo.InvariantCulture)] });
        }

        Assert.Same(first.Catalog, _test.Answers.TryGetCurrent(Given.Request()));
        Assert.Equal((1, 2), _test.Calls);
    }

    [Fact]
    public async Task Many_who_wait_for_a_cold_answer_get_one_assembly()
    {
        _test.Paymentwall.Hold();
        var joined = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => Task.Run(() => (Answer: _test.AskAsync(), Joined: true))));
        _test.Paymentwall.Release();

        var outcomes = await Task.WhenAll(joined.Select(one => one.Answer));

        Assert.Single(outcomes.Select(outcome => outcome.Catalog).Distinct());
        Assert.Equal((1, 2), _test.Calls);
    }

    [Fact]
    public async Task Who_leaves_does_not_take_the_answer_from_the_others()
    {
        using var impatient = new CancellationTokenSource();
        _test.Paymentwall.Hold();
        var leaves = _test.Answers.AggregateAsync(Given.Request(), impatient.Token);
        var stays = _test.AskAsync();
        await Quiet.SettleAsync();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        _test.Paymentwall.Release();

        Assert.NotNull((await stays).Catalog);
        Assert.Equal((1, 2), _test.Calls);
    }

    [Fact]
    public async Task When_the_last_leaves_what_has_begun_goes_on_and_nothing_else_begins()
    {
        using var impatient = new CancellationTokenSource();
        _test.Billing.Hold();
        var leaves = _test.Answers.AggregateAsync(Given.Request(), impatient.Token);
        await Quiet.UntilAsync(() => _test.Calls.Billing == 1);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves);
        _test.Billing.Release();
        await Quiet.UntilAsync(() => _test.StateGauges.Loading == 0);

        Assert.Equal((1, 0), _test.Calls);

        // Nothing of it is shown to the next, who gets the components from memory and a whole answer.
        Assert.Null(_test.Answers.TryGetCurrent(Given.Request()));
        Assert.True((await _test.AskAsync()).Catalog is { Completeness: "complete" });
        Assert.Equal((1, 2), _test.Calls);
    }

    [Fact]
    public async Task Other_questions_have_other_answers()
    {
        var answers = new List<RenderedCatalog?>();
        foreach (var request in new[]
        {
            Given.Request(), Given.Request() with { Country = "FR" }, Given.Request() with { CountrySource = CountrySource.Default },
            Given.Request() with { Language = null }, Given.Request() with { Sandbox = true }, Given.Request() with { Status = "draft" },
            Given.Request() with { Types = ["plan"] }, Given.Request() with { Periods = ["plan"] }, Given.Request() with { Prices = PriceMode.Skip },
            Given.Request("p", "q"), Given.Request("q", "p"),
        })
        {
            answers.Add((await _test.AskAsync(request)).Catalog);
        }

        Assert.All(answers, Assert.NotNull);
        Assert.Equal(answers.Count, answers.Distinct().Count());
    }

    [Fact]
    public async Task When_it_is_no_longer_fresh_it_goes_out_once_more_and_is_made_anew_when_its_parts_are()
    {
        var first = await _test.AskAsync();
        _test.Time.Advance(TimeSpan.FromMinutes(1));
        _test.Paymentwall.Body = """{"amount":"8.00","currency":"USD"}""";
        _test.Billing.Hold();
        _test.Paymentwall.Hold();

        var stale = await _test.AskAsync();
        Assert.Equal(first.Catalog!.Identity, stale.Catalog!.Identity);
        Assert.Equal(TimeSpan.Zero, stale.Catalog.FreshFor);
        Assert.True(stale.IsHit);
        Assert.Same(stale.Catalog, (await _test.AskAsync()).Catalog);

        await Quiet.UntilAsync(() => _test.Calls == (2, 4));
        var version = _test.Version;
        _test.Billing.Release();
        _test.Paymentwall.Release();
        await Quiet.UntilAsync(() => _test.Version == version + 3);

        var fresh = (await _test.AskAsync()).Catalog!;
        Assert.Contains("\"8.00\"", Encoding.UTF8.GetString(fresh.Identity), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(1), fresh.FreshFor);
        Assert.Equal((2, 4), _test.Calls);
    }

    [Fact]
    public async Task Once_a_refresh_has_failed_the_answer_says_so()
    {
        await _test.AskAsync();
        var version = _test.Version;
        _test.Time.Advance(TimeSpan.FromMinutes(1));
        _test.Paymentwall.Status = HttpStatusCode.Forbidden;
        _test.Billing.Hold();
        _test.Paymentwall.Hold();
        Assert.DoesNotContain("\"status\":\"stale\"", Text(await _test.AskAsync()), StringComparison.Ordinal);
        await Quiet.UntilAsync(() => _test.Calls == (2, 4));
        _test.Billing.Release();
        _test.Paymentwall.Release();
        await Quiet.UntilAsync(() => _test.Version == version + 3);

        var labelled = await _test.AskAsync();

        Assert.Contains("\"stale\":2", Text(labelled), StringComparison.Ordinal);
        Assert.Contains("\"status\":\"stale\"", Text(labelled), StringComparison.Ordinal);
        Assert.Same(labelled.Catalog, (await _test.AskAsync()).Catalog);
    }

    [Fact]
    public async Task An_incomplete_answer_is_reused_for_5_s_at_most()
    {
        _test.Paymentwall.Status = HttpStatusCode.Forbidden;
        var first = await _test.AskAsync();
        Assert.Contains("\"complete\":false", Text(first), StringComparison.Ordinal);
        var calls = _test.Calls;

        _test.Time.Advance(RenderedCatalog.MaxIncompleteLifetime - TimeSpan.FromTicks(1));
        Assert.Same(first.Catalog, (await _test.AskAsync()).Catalog);
        Assert.Equal(calls, _test.Calls);

        _test.Paymentwall.Status = HttpStatusCode.OK;
        _test.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Contains("\"complete\":true", Text(await _test.AskAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_misses_the_deadline_goes_on_into_the_cache_and_the_next_answer_has_it()
    {
        using var test = new CatalogUnderTest(deadline: TimeSpan.FromSeconds(1));
        test.Paymentwall.Hold();
        var asked = test.AskAsync();
        await Quiet.UntilAsync(() => test.Calls == (1, 2));
        test.Time.Advance(TimeSpan.FromSeconds(1));
        var cut = await asked;
        Assert.Contains("\"unavailable\":2", Text(cut), StringComparison.Ordinal);
        Assert.Equal((1, 2), test.Calls);

        var version = test.Version;
        test.Paymentwall.Release();
        await Quiet.UntilAsync(() => test.Version == version + 2);

        Assert.Contains("\"complete\":true", Text(await test.AskAsync()), StringComparison.Ordinal);
        Assert.Equal((1, 2), test.Calls);
    }

    [Theory]
    [InlineData("sku:c1")]
    [InlineData("sku:unknown")]
    [InlineData(null)]
    public async Task A_purge_makes_an_answer_anew(string? tag)
    {
        var first = await _test.AskAsync();

        await _test.Purges.PurgeAsync(new PurgeScope(tag, Hard: true));

        Assert.NotSame(first.Catalog, (await _test.AskAsync()).Catalog);
        Assert.Equal(tag switch { "sku:c1" => (1, 3), null => (2, 4), _ => (1, 2) }, _test.Calls);
    }

    [Fact]
    public async Task An_assembly_that_began_before_a_purge_is_not_joined_and_its_answer_not_kept()
    {
        _test.Billing.Hold();
        var before = _test.AskAsync();
        await Quiet.UntilAsync(() => _test.Calls.Billing == 1);
        var releaseOld = _test.Billing.ReleaseLater();
        await _test.Purges.PurgeAsync(new PurgeScope("product:p", Hard: true));
        _test.Billing.Hold();
        var after = _test.AskAsync();
        await Quiet.UntilAsync(() => _test.Calls.Billing == 2);
        releaseOld();
        var old = (await before).Catalog;
        _test.Billing.Release();

        Assert.NotSame(old, (await after).Catalog);
        Assert.Equal(2, _test.Calls.Billing);
        Assert.Equal(_test.Purges.Epoch, (await _test.AskAsync()).Catalog!.Epoch);
        Assert.Equal(2, _test.Calls.Billing);
    }

    [Fact]
    public async Task A_problem_is_not_kept()
    {
        _test.Billing.Status = HttpStatusCode.Forbidden;
        Assert.Equal(Problem.UpstreamRejected, (await _test.AskAsync()).Problem);

        _test.Billing.Status = HttpStatusCode.OK;

        Assert.NotNull((await _test.AskAsync()).Catalog);
    }

    [Fact]
    public async Task An_unknown_product_is_asked_for_once()
    {
        _test.Billing.Status = HttpStatusCode.NotFound;

        Assert.Equal(Problem.ProductNotFound, (await _test.AskAsync()).Problem);
        Assert.Equal(Problem.ProductNotFound, (await _test.AskAsync()).Problem);

        Assert.Equal((1, 0), _test.Calls);
    }

    [Fact]
    public async Task One_SKU_of_two_countries_is_two_prices_and_one_of_two_products_is_one()
    {
        await _test.AskAsync();
        await _test.AskAsync(Given.Request("q"));
        await _test.AskAsync(Given.Request() with { Country = "FR" });

        Assert.Equal(["c1", "c1", "c2", "c2"], _test.SkusAskedFor.Order(StringComparer.Ordinal));
    }

    private static string Text(CatalogResult outcome) => Encoding.UTF8.GetString(outcome.Catalog!.Identity);
}
