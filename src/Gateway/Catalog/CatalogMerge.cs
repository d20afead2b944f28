using System.Text.Json;
using Gateway.Catalog.Rendering;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Catalog;

/// <summary>Joins components with prices. Pure: the same input yields the same answer, and nothing is asked or waited for.</summary>
internal static class CatalogMerge
{
    /// <param name="request">What was asked.</param>
    /// <param name="listings">One per product, in the order asked for.</param>
    /// <param name="prices">By SKU, those after trials included. A SKU that is missing was not answered in time.</param>
    /// <param name="rules">The operator's rules.</param>
    /// <param name="circuitCause">What opened the circuit of the prices.</param>
    public static CatalogResponse Merge(
        CatalogRequest request,
        IReadOnlyList<ProductListing> listings,
        IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>> prices,
        CatalogRules rules,
        UpstreamFailure? circuitCause = null)
    {
        var items = listings.SelectMany(listing => listing.Components).Select(component => Item(component, request, prices, rules, circuitCause)).ToList();
        var failed = listings
            .Where(listing => listing.Problem is not null)
            .Select(listing => new CatalogFailedProduct { ProductId = listing.ProductId, Code = listing.Problem!.Code })
            .ToList();
        return new CatalogResponse
        {
            Context = new CatalogContext
            {
                Country = request.Country,
                CountrySource = request.CountrySource,
                Lang = request.Language,
                Sandbox = request.Sandbox,
                IgnoredParameters = request.IgnoredParameters is { Count: > 0 } ignored ? ignored : null,
            },
            Completeness = new CatalogCompleteness
            {
                Complete = failed.Count == 0 && !items.Exists(LacksPrice),
                Components = items.Count,
                Priced = items.Count(item => item.Price.Status is PriceStatus.Live or PriceStatus.Stale),
                Stale = items.Count(item => item.Price.Status is PriceStatus.Stale),
                NotFound = items.Count(item => item.Price.Status is PriceStatus.NotFound),
                Unavailable = items.Count(item => item.Price.Status is PriceStatus.Unavailable),
                FailedProducts = failed,
            },
            Items = items,
        };
    }

    /// <summary>Whether a price that the item needs is unavailable.</summary>
    public static bool LacksPrice(CatalogItem item) =>
        item.Price.Status == PriceStatus.Unavailable || item.Price.Trial?.Then.Status == PriceStatus.Unavailable;

    private static CatalogItem Item(
        BillingComponent component,
        CatalogRequest request,
        IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>> prices,
        CatalogRules rules,
        UpstreamFailure? circuitCause)
    {
        var sku = rules.SkuOf(component);
        var overlay = rules.OverlayOf(component);
        var (status, product, reason, asOf) = request.Prices == PriceMode.Skip ? (PriceStatus.Skipped, null, null, null) : LookUp(sku, prices);
        return new CatalogItem
        {
            Id = component.Id,
            ProductId = component.ProductId,
            GroupId = component.GroupId,
            Type = component.Type,
            Status = component.Status,
            Name = overlay.Name ?? product?.Name,
            Description = overlay.Description,
            Features = overlay.Features ?? [],
            Billing = Billing(component, rules),
            Price = new CatalogPrice
            {
                Status = status,
                Sku = sku,
                AmountMinor = product?.Price.AmountMinor,
                Amount = product?.Price.Amount,
                Currency = product?.Price.Currency.Code,
                Exponent = product?.Price.Currency.Exponent,
                Period = product?.Period,
                Recurring = product?.Recurring,
                Trial = product is { IsTrial: true } ? new CatalogTrial { Then = Then(product.PostTrialSku, prices, circuitCause) } : null,
                CompareAt = product?.OldPrice is { } old && old.AmountMinor > product.Price.AmountMinor ? Amount(old) : null,
                AsOf = asOf,
                Reason = reason,
                Cause = reason == UpstreamFailure.CircuitOpen ? circuitCause : null,
            },
        };
    }

    private static CatalogBilling Billing(BillingComponent component, CatalogRules rules) => new()
    {
        PricingModel = component.PricingModel,
        UsageBased = component.UsageBased,
        Period = component.BillingPeriod,
        Trial = component.TrialPeriod,
        FreeQuantity = component.FreeQuantity ?? 0,
        MandatoryComponentIds = component.MandatoryComponentIds,
        Tiers = Tiers(component, rules),
        ListPrice = component.PriceMinor is { } minor ? ListPrice(minor, rules.ListPriceCurrencyOf(component)) : null,
        Extensions = component.Extensions,
    };

    /// <summary>Typed if all of them have the documented form, else as they came: nothing is lost.</summary>
    private static IReadOnlyList<JsonElement> Tiers(BillingComponent component, CatalogRules rules)
    {
        var typed = new List<JsonElement>(component.Tiers.Count);
        foreach (var tier in component.Tiers)
        {
            if (BillingPayload.ReadTier(tier) is not var (from, to, price))
            {
                return component.Tiers;
            }

            var unitPrice = ListPrice(price, rules.ListPriceCurrencyOf(component));
            typed.Add(JsonSerializer.SerializeToElement(new CatalogTier { From = from, To = to, UnitPrice = unitPrice }, CatalogJsonContext.Default.CatalogTier));
        }

        return typed;
    }

    /// <summary>A currency that the table does not know has no exponent: the integer is kept, and no amount is made up.</summary>
    private static CatalogAmount ListPrice(long minor, string? code) => Currency.TryGet(code, out var currency)
        ? Amount(new Money(minor, currency))
        : new CatalogAmount { AmountMinor = minor, Amount = null, Currency = code, Exponent = null };

    /// <summary>One hop: what follows a trial is shown as Paymentwall has it, be it another trial or the same one.</summary>
    private static CatalogThen Then(string? sku, IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>> prices, UpstreamFailure? circuitCause)
    {
        var (status, product, reason, asOf) = LookUp(sku, prices);
        return new CatalogThen
        {
            Status = status,
            Sku = sku,
            AmountMinor = product?.Price.AmountMinor,
            Amount = product?.Price.Amount,
            Currency = product?.Price.Currency.Code,
            Exponent = product?.Price.Currency.Exponent,
            Period = product?.Period,
            Recurring = product?.Recurring,
            AsOf = asOf,
            Reason = reason,
            Cause = reason == UpstreamFailure.CircuitOpen ? circuitCause : null,
        };
    }

    private static (PriceStatus Status, PaymentwallProduct? Product, UpstreamFailure? Reason, DateTimeOffset? AsOf) LookUp(
        string? sku, IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>> prices)
    {
        if (sku is null)
        {
            return (PriceStatus.NotFound, null, null, null);
        }

        if (!prices.TryGetValue(sku, out var result))
        {
            return (PriceStatus.Unavailable, null, UpstreamFailure.Timeout, null);
        }

        if (!result.TryGet(out var product, out var failure))
        {
            return (PriceStatus.Unavailable, null, failure, null);
        }

        return product is null ? (PriceStatus.NotFound, null, null, result.StaleAsOf)
            : result.StaleAsOf is { } asOf ? (PriceStatus.Stale, product, null, asOf)
            : (PriceStatus.Live, product, null, null);
    }

    private static CatalogAmount Amount(Money money) => new()
    {
        AmountMinor = money.AmountMinor,
        Amount = money.Amount,
        Currency = money.Currency.Code,
        Exponent = money.Currency.Exponent,
    };
}

/// <summary>What Billing said of one product: the components that the request selects, or the problem.</summary>
internal sealed record ProductListing(string ProductId, IReadOnlyList<BillingComponent> Components, Problem? Problem = null);
