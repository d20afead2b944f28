using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Telemetry;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>
/// Answers a question from the cached sources under one soft deadline: (1) the components of every product, side by side; (2) the
/// price of every distinct SKU as soon as its component is known, and of what follows a trial as soon as that is known; (3) the
/// join of what is there. What misses the deadline is labelled, and goes on into the cache for the next question. Failures are
/// collected, never thrown.
/// </summary>
internal sealed class CatalogAggregator(
    CatalogSources sources, BillingClient billing, CatalogRules rules, IOptions<CatalogOptions> options, TimeProvider time)
{
    /// <param name="question">What is asked.</param>
    /// <param name="abandoned">Nobody waits any more: as if the deadline had passed, and what has not begun does not begin.</param>
    public async Task<CatalogAssembly> AssembleAsync(CatalogQuestion question, CancellationToken abandoned)
    {
        using var deadline = new CancellationTokenSource(options.Value.Deadline, time);
        using var leaving = abandoned.UnsafeRegister(static deadline => ((CancellationTokenSource)deadline!).Cancel(), deadline);
        var parts = new Parts();
        var prices = new PriceBook(skus =>
        {
            var questions = skus.Select(sku => new PriceQuestion(sku, question.Country)).ToList();
            var watches = questions.ConvertAll(sources.Watch);
            return [.. sources.Prices(questions, abandoned).Zip(watches, (price, watch) => InTimeAsync(Timeline.Paymentwall, price, watch, parts, deadline.Token))];
        });

        // 1 and 2
        var listings = await Task.WhenAll(question.Products.Select(productId => ListAsync(productId, question, prices, parts, abandoned, deadline.Token)));
        var found = await prices.CloseAsync();
        if (Array.TrueForAll(listings, listing => listing.Problem is not null))
        {
            // An unknown product is for good, another failure may pass: that is the more useful thing to say.
            var worst = Array.Find(listings, listing => listing.Problem != Problem.ProductNotFound) ?? listings[0];
            return Assembly(null, worst.Problem);
        }

        // 3
        var response = CatalogMerge.Merge(question, listings, found, rules);
        return question.Prices == PriceMode.Required && response.Items.Any(CatalogMerge.LacksPrice)
            ? Assembly(null, Problem.PricesUnavailable)
            : Assembly(response, null);

        CatalogAssembly Assembly(CatalogResponse? response, Problem? problem) => new(response, problem, parts.FreshUntil, parts.Loaded, parts.Watches);
    }

    /// <summary>Everything that the answer is made of is in memory, fresh or stale: putting it together waits for nobody.</summary>
    public bool IsAtHand(CatalogQuestion question) => question.Products.All(productId =>
        sources.TryPeek(Components(productId, question), out var components)
        && (question.Prices == PriceMode.Skip
            || (components ?? []).Where(question.Selects).Select(rules.SkuOf).OfType<string>().All(sku => IsAtHand(sku, question.Country))));

    private bool IsAtHand(string sku, string country) =>
        sources.TryPeek(new PriceQuestion(sku, country), out var product)
        && (product is not { IsTrial: true, PostTrialSku: { } next } || sources.TryPeek(new PriceQuestion(next, country), out _));

    private static ComponentsQuestion Components(string productId, CatalogQuestion question) =>
        new(productId, question.Status, question.Language, question.Sandbox);

    private async Task<ProductListing> ListAsync(
        string productId, CatalogQuestion question, PriceBook prices, Parts parts, CancellationToken abandoned, CancellationToken deadline)
    {
        var components = Components(productId, question);
        var watch = sources.Watch(components);
        if (!(await InTimeAsync(Timeline.Billing, sources.ComponentsAsync(components, abandoned), watch, parts, deadline)).TryGet(out var listed, out var failure))
        {
            return new ProductListing(productId, [], Explain(failure).ToProblem());
        }

        if (listed is null)
        {
            return new ProductListing(productId, [], Problem.ProductNotFound);
        }

        var selected = listed.Where(question.Selects).ToList();
        if (question.Prices != PriceMode.Skip)
        {
            prices.Ask(selected.Select(rules.SkuOf).OfType<string>());
        }

        return new ProductListing(productId, selected);
    }

    /// <summary>If the deadline passed while there was not even a token, that is what was waited for.</summary>
    private UpstreamFailure Explain(UpstreamFailure failure) =>
        failure == UpstreamFailure.Timeout && billing.LacksToken ? UpstreamFailure.TokenUnavailable : failure;

    /// <param name="phase">What a look-up that is still under way at the deadline has waited for.</param>
    /// <param name="asked">The look-up.</param>
    /// <param name="watch">Begun before it, for a look-up that is still under way at the deadline: its landing is a change.</param>
    /// <param name="parts">Where what it was made of is noted.</param>
    /// <param name="deadline">The answer's.</param>
    private async Task<UpstreamResult<T>> InTimeAsync<T>(
        string phase, Task<CacheAnswer<T, UpstreamFailure>> asked, CacheWatch watch, Parts parts, CancellationToken deadline)
    {
        var started = time.GetTimestamp();
        try
        {
            var answer = await asked.WaitAsync(deadline);
            if (answer.Seen is { } seen)
            {
                Timeline.Current?.Add(seen, started);
            }

            parts.Add(answer.Failure is null ? answer.FreshUntil : null, answer.Loaded, answer.Watch);
            return answer.Failure is { } failure ? UpstreamResult.Failed<T>(failure) : UpstreamResult.Of(answer.Value, answer.StaleAsOf);
        }
        catch (OperationCanceledException)
        {
            Timeline.Current?.Add(phase == Timeline.Billing && billing.LacksToken ? Timeline.Token : phase, started, time.GetTimestamp());
            parts.Add(freshUntil: null, loaded: true, watch);
            return UpstreamResult.Failed<T>(UpstreamFailure.Timeout);
        }
    }

    /// <summary>What the parts of an answer have in common.</summary>
    private sealed class Parts
    {
        private readonly Lock _gate = new();
        private readonly List<CacheWatch> _watches = [];

        public IReadOnlyList<CacheWatch> Watches => _watches;

        public DateTimeOffset FreshUntil { get; private set; } = DateTimeOffset.MaxValue;

        public bool Loaded { get; private set; }

        public void Add(DateTimeOffset? freshUntil, bool loaded, CacheWatch watch)
        {
            lock (_gate)
            {
                _watches.Add(watch);
                FreshUntil = freshUntil < FreshUntil ? freshUntil.Value : FreshUntil;
                Loaded |= loaded;
            }
        }
    }
}
