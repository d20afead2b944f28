using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>
/// Answers a request from the cached sources under one soft deadline: (1) the components of every product, side by side; (2) the
/// price of every distinct SKU as soon as its component is known, and of what follows a trial as soon as that is known; (3) the
/// join of what is there. What misses the deadline is labelled, and goes on into the cache for the next request. Failures are
/// collected, never thrown.
/// </summary>
internal sealed class CatalogAggregator(
    CatalogDataCache data, BillingClient billing, CatalogRules rules, IOptions<CatalogOptions> options, TimeProvider time)
{
    /// <param name="request">What is asked.</param>
    /// <param name="waits">Where is noted what was waited for.</param>
    /// <param name="abandoned">Nobody waits any more: as if the deadline had passed, and what has not begun does not begin.</param>
    public async Task<AggregationResult> AggregateAsync(CatalogRequest request, RequestTimings waits, CancellationToken abandoned)
    {
        using var deadline = new CancellationTokenSource(options.Value.Deadline, time);
        using var leaving = abandoned.UnsafeRegister(static deadline => ((CancellationTokenSource)deadline!).Cancel(), deadline);
        var parts = new Parts(waits);
        var prices = new PriceLookup(skus =>
        {
            var requests = skus.Select(sku => new PriceRequest(sku, request.Country)).ToList();
            var watches = requests.ConvertAll(data.Watch);
            return [.. data.Prices(requests, abandoned).Zip(watches, (price, watch) => InTimeAsync(RequestTimings.Paymentwall, price, watch, parts, deadline.Token))];
        });

        // 1 and 2
        var listings = await Task.WhenAll(request.Products.Select(productId => ListAsync(productId, request, prices, parts, abandoned, deadline.Token)));
        var found = await prices.CloseAsync();
        if (Array.TrueForAll(listings, listing => listing.Problem is not null))
        {
            // An unknown product is for good, another failure may pass: that is the more useful thing to say.
            var worst = Array.Find(listings, listing => listing.Problem != Problem.ProductNotFound) ?? listings[0];
            return Assembly(null, worst.Problem);
        }

        // 3
        var response = CatalogMerge.Merge(request, listings, found, rules, data.PriceCircuitCause);
        return request.Prices == PriceMode.Required && response.Items.Any(CatalogMerge.LacksPrice)
            ? Assembly(null, Problem.PricesUnavailable)
            : Assembly(response, null);

        AggregationResult Assembly(CatalogResponse? response, Problem? problem) => new(response, problem, parts.FreshUntil, parts.Loaded, parts.Watches);
    }

    /// <summary>Everything that the answer is made of is in memory, fresh or stale: putting it together waits for nobody.</summary>
    public bool IsInMemory(CatalogRequest request) => request.Products.All(productId =>
        data.TryPeek(Components(productId, request), out var components)
        && (request.Prices == PriceMode.Skip
            || (components ?? []).Where(request.Selects).Select(rules.SkuOf).OfType<string>().All(sku => IsInMemory(sku, request.Country))));

    private bool IsInMemory(string sku, string country) =>
        data.TryPeek(new PriceRequest(sku, country), out var product)
        && (product is not { IsTrial: true, PostTrialSku: { } next } || data.TryPeek(new PriceRequest(next, country), out _));

    private static ComponentsRequest Components(string productId, CatalogRequest request) =>
        new(productId, request.Status, request.Language, request.Sandbox);

    private async Task<ProductListing> ListAsync(
        string productId, CatalogRequest request, PriceLookup prices, Parts parts, CancellationToken abandoned, CancellationToken deadline)
    {
        var components = Components(productId, request);
        var watch = data.Watch(components);
        if (!(await InTimeAsync(RequestTimings.Billing, data.ComponentsAsync(components, abandoned), watch, parts, deadline)).TryGet(out var listed, out var failure))
        {
            return new ProductListing(productId, [], Explain(failure).ToProblem());
        }

        if (listed is null)
        {
            return new ProductListing(productId, [], Problem.ProductNotFound);
        }

        var selected = listed.Where(request.Selects).ToList();
        if (request.Prices != PriceMode.Skip)
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
        string phase, Task<CacheResult<T>> asked, ChangeStamp watch, Parts parts, CancellationToken deadline)
    {
        var started = time.GetTimestamp();
        try
        {
            var found = await asked.WaitAsync(deadline);
            if (found.Waits is { } waits)
            {
                parts.Waits.Add(waits, started);
            }

            parts.Add(found.Result.Failure is null ? found.FreshUntil : null, found.Loaded, found.Watch);
            return found.Result;
        }
        catch (OperationCanceledException)
        {
            parts.Waits.Add(phase == RequestTimings.Billing && billing.LacksToken ? RequestTimings.Token : phase, started, time.GetTimestamp());
            parts.Add(freshUntil: null, loaded: true, watch);
            return UpstreamResult.Failed<T>(UpstreamFailure.Timeout);
        }
    }

    /// <summary>What the parts of an answer have in common.</summary>
    private sealed class Parts(RequestTimings waits)
    {
        private readonly Lock _gate = new();
        private readonly List<ChangeStamp> _watches = [];

        public RequestTimings Waits => waits;

        public IReadOnlyList<ChangeStamp> Watches => _watches;

        public TimeSpan FreshUntil { get; private set; } = TimeSpan.MaxValue;

        public bool Loaded { get; private set; }

        public void Add(TimeSpan? freshUntil, bool loaded, ChangeStamp watch)
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

/// <summary>What the aggregation of a request came to.</summary>
/// <param name="Response">The catalog; null if <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Nothing could be had, or what is required is missing.</param>
/// <param name="FreshUntil">Until when all of its parts are fresh, by the monotonic clock.</param>
/// <param name="Loaded">An upstream was asked for it.</param>
/// <param name="Parts">Watches over everything that it was made of.</param>
internal sealed record AggregationResult(
    CatalogResponse? Response, Problem? Problem, TimeSpan FreshUntil, bool Loaded, IReadOnlyList<ChangeStamp> Parts);
