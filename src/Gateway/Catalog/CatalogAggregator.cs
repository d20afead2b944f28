using Gateway.Problems;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>
/// Answers a question from both upstreams under one deadline: (1) the components of every product, side by side; (2) the price of
/// every distinct SKU as soon as its component is known, and of what follows a trial as soon as that is known; (3) the join.
/// Failures are collected, never thrown.
/// </summary>
internal sealed class CatalogAggregator(
    BillingClient billing, PaymentwallClient paymentwall, CatalogRules rules, IOptions<CatalogOptions> options, TimeProvider time)
{
    /// <summary>The answer with what could be had; or, if nothing could or what is required is missing, the problem.</summary>
    /// <exception cref="OperationCanceledException">The caller left.</exception>
    public async Task<(CatalogResponse? Response, Problem? Problem)> AskAsync(CatalogQuestion question, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.Value.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var prices = new PriceBook(sku => PriceAsync(new PriceQuestion(sku, question.Country), either.Token));

        // 1 and 2
        var listings = await Task.WhenAll(question.Products.Select(productId => ListAsync(productId, question, prices, either.Token)));
        var found = await prices.CloseAsync();
        cancellationToken.ThrowIfCancellationRequested();
        if (Array.TrueForAll(listings, listing => listing.Problem is not null))
        {
            // An unknown product is for good, another failure may pass: that is the more useful thing to say.
            var worst = Array.Find(listings, listing => listing.Problem != Problem.ProductNotFound) ?? listings[0];
            return (null, worst.Problem);
        }

        // 3
        var response = CatalogMerge.Merge(question, listings, found, rules);
        return question.Prices == PriceMode.Required && response.Items.Any(CatalogMerge.LacksPrice)
            ? (null, Problem.PricesUnavailable)
            : (response, null);
    }

    private async Task<ProductListing> ListAsync(
        string productId, CatalogQuestion question, PriceBook prices, CancellationToken cancellationToken)
    {
        UpstreamResult<IReadOnlyList<BillingComponent>?> result;
        try
        {
            result = await billing.ListComponentsAsync(
                new ComponentsQuestion(productId, question.Status, question.Language, question.Sandbox), cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return new ProductListing(productId, [], Problem.UpstreamTimedOut);
        }

        if (!result.TryGet(out var components, out var failure))
        {
            return new ProductListing(productId, [], failure.ToProblem());
        }

        if (components is null)
        {
            return new ProductListing(productId, [], Problem.ProductNotFound);
        }

        var selected = components.Where(question.Selects).ToList();
        if (question.Prices != PriceMode.Skip)
        {
            foreach (var sku in selected.Select(rules.SkuOf).OfType<string>())
            {
                prices.Ask(sku);
            }
        }

        return new ProductListing(productId, selected);
    }

    private async Task<UpstreamResult<PaymentwallProduct?>> PriceAsync(PriceQuestion question, CancellationToken cancellationToken)
    {
        try
        {
            return await paymentwall.GetProductAsync(question, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return UpstreamResult.Failed<PaymentwallProduct?>(UpstreamFailure.Timeout);
        }
    }
}
