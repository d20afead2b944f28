using Gateway.Caching;
using Gateway.Problems;
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
    public async Task<CatalogAssembly> AssembleAsync(CatalogQuestion question)
    {
        using var deadline = new CancellationTokenSource(options.Value.Deadline, time);
        var parts = new Parts();

        // Before the first look: a change while the rest is waited for must not be missed.
        var version = sources.Version;
        var prices = new PriceBook(skus =>
            sources.Prices([.. skus.Select(sku => new PriceQuestion(sku, question.Country))])
                .Select(price => InTimeAsync(price, parts, deadline.Token))
                .ToList());

        // 1 and 2
        var listings = await Task.WhenAll(question.Products.Select(productId => ListAsync(productId, question, prices, parts, deadline.Token)));
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

        CatalogAssembly Assembly(CatalogResponse? response, Problem? problem) => new(response, problem, parts.FreshUntil, parts.Loaded, version);
    }

    private async Task<ProductListing> ListAsync(
        string productId, CatalogQuestion question, PriceBook prices, Parts parts, CancellationToken deadline)
    {
        var asked = sources.ComponentsAsync(new ComponentsQuestion(productId, question.Status, question.Language, question.Sandbox));
        if (!(await InTimeAsync(asked, parts, deadline)).TryGet(out var components, out var failure))
        {
            return new ProductListing(productId, [], Explain(failure).ToProblem());
        }

        if (components is null)
        {
            return new ProductListing(productId, [], Problem.ProductNotFound);
        }

        var selected = components.Where(question.Selects).ToList();
        if (question.Prices != PriceMode.Skip)
        {
            prices.Ask(selected.Select(rules.SkuOf).OfType<string>());
        }

        return new ProductListing(productId, selected);
    }

    /// <summary>If the deadline passed while there was not even a token, that is what was waited for.</summary>
    private UpstreamFailure Explain(UpstreamFailure failure) =>
        failure == UpstreamFailure.Timeout && billing.LacksToken ? UpstreamFailure.TokenUnavailable : failure;

    private static async Task<UpstreamResult<T>> InTimeAsync<T>(
        Task<CacheAnswer<T, UpstreamFailure>> asked, Parts parts, CancellationToken deadline)
    {
        try
        {
            var answer = await asked.WaitAsync(deadline);
            parts.Add(answer.Failure is null ? answer.FreshUntil : null, answer.Loaded);
            return answer.Failure is { } failure ? UpstreamResult.Failed<T>(failure) : UpstreamResult.Of(answer.Value, answer.StaleAsOf);
        }
        catch (OperationCanceledException)
        {
            parts.Add(freshUntil: null, loaded: true);
            return UpstreamResult.Failed<T>(UpstreamFailure.Timeout);
        }
    }

    /// <summary>What the parts of an answer have in common.</summary>
    private sealed class Parts
    {
        private readonly Lock _gate = new();

        public DateTimeOffset FreshUntil { get; private set; } = DateTimeOffset.MaxValue;

        public bool Loaded { get; private set; }

        public void Add(DateTimeOffset? freshUntil, bool loaded)
        {
            lock (_gate)
            {
                FreshUntil = freshUntil < FreshUntil ? freshUntil.Value : FreshUntil;
                Loaded |= loaded;
            }
        }
    }
}
