using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Iso;
using Gateway.Problems;

namespace Gateway.Catalog;

/// <summary>What this customer can buy here, and what it costs.</summary>
internal sealed record CatalogResponse
{
    /// <summary>What the answer is for.</summary>
    public required CatalogContext Context { get; init; }

    /// <summary>How much of the answer could be had.</summary>
    public required CatalogCompleteness Completeness { get; init; }

    /// <summary>Components in Billing's order, products in the order asked for.</summary>
    public required IReadOnlyList<CatalogItem> Items { get; init; }

    /// <summary>Number of items.</summary>
    public int Total => Items.Count;
}

/// <summary>What an answer is for.</summary>
internal sealed record CatalogContext
{
    /// <summary>ISO 3166-1 alpha-2.</summary>
    public required string Country { get; init; }

    /// <summary>Where the country came from: the query, the CDN's header, or the configured default.</summary>
    public required CountrySource CountrySource { get; init; }

    /// <summary>Language asked for; null if none was.</summary>
    public required string? Lang { get; init; }

    /// <summary>Whether these are Billing's sandbox data.</summary>
    public required bool Sandbox { get; init; }

    /// <summary>Query parameters that the catalog does not have, in lower case and alphabetical order, ten at most; absent if there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? IgnoredParameters { get; init; }
}

/// <summary>How much of an answer could be had.</summary>
internal sealed record CatalogCompleteness
{
    /// <summary>No price is unavailable (that after a trial included) and no product failed.</summary>
    public required bool Complete { get; init; }

    /// <summary>Number of items.</summary>
    public required int Components { get; init; }

    /// <summary>Items whose price is live or stale.</summary>
    public required int Priced { get; init; }

    /// <summary>Items whose price is stale.</summary>
    public required int Stale { get; init; }

    /// <summary>Items that Paymentwall does not sell in this country, or that have no SKU.</summary>
    public required int NotFound { get; init; }

    /// <summary>Items whose price could not be had.</summary>
    public required int Unavailable { get; init; }

    /// <summary>Products that could not be listed, while others could.</summary>
    public required IReadOnlyList<CatalogFailedProduct> FailedProducts { get; init; }
}

/// <summary>A product that could not be listed.</summary>
internal sealed record CatalogFailedProduct
{
    /// <summary>Billing product id as asked for.</summary>
    public required string ProductId { get; init; }

    /// <summary>Code of the problem that asking for it alone would have given.</summary>
    public required string Code { get; init; }
}

/// <summary>One component and its price.</summary>
internal sealed record CatalogItem
{
    /// <summary>Billing's component id.</summary>
    public required string Id { get; init; }

    /// <summary>Billing product it belongs to.</summary>
    public required string ProductId { get; init; }

    /// <summary>Billing's componentGroupId: the same plan in other periods and currencies.</summary>
    public required string? GroupId { get; init; }

    /// <summary><c>plan</c>, <c>addon</c> or <c>charge</c>.</summary>
    public required string? Type { get; init; }

    /// <summary>Billing's status, such as <c>active</c>.</summary>
    public required string? Status { get; init; }

    /// <summary>The operator's name for it, else Paymentwall's, else null.</summary>
    public required string? Name { get; init; }

    /// <summary>The operator's description.</summary>
    public required string? Description { get; init; }

    /// <summary>The operator's list of features.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>What Billing says.</summary>
    public required CatalogBilling Billing { get; init; }

    /// <summary>What Paymentwall says for this country.</summary>
    public required CatalogPrice Price { get; init; }
}

/// <summary>What Billing says of a component.</summary>
internal sealed record CatalogBilling
{
    /// <summary><c>flat_fee</c>, <c>per_unit</c>, <c>tiered</c>, <c>volume</c> or <c>stairstep</c>.</summary>
    public required string? PricingModel { get; init; }

    /// <summary>Billed by use.</summary>
    public required bool UsageBased { get; init; }

    /// <summary>How often it is billed; null if it is not recurring.</summary>
    public required Period? Period { get; init; }

    /// <summary>Billing's trial; null if there is none.</summary>
    public required Period? Trial { get; init; }

    /// <summary>Units that are free.</summary>
    public required long FreeQuantity { get; init; }

    /// <summary>Components that must be bought with it.</summary>
    public required IReadOnlyList<string> MandatoryComponentIds { get; init; }

    /// <summary>Price tiers, each <c>{ from, to, unitPrice }</c>, where all are in the form that the platform behind Billing documents; else exactly as Billing sends them.</summary>
    public required IReadOnlyList<JsonElement> Tiers { get; init; }

    /// <summary>Billing's list price; null if Billing sends none.</summary>
    public required CatalogAmount? ListPrice { get; init; }

    /// <summary>Fields that Billing sends and the gateway does not know; absent if there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, JsonElement>? Extensions { get; init; }
}

/// <summary>One step of a price by quantity.</summary>
internal sealed record CatalogTier
{
    /// <summary>The first unit that it is for.</summary>
    public required long From { get; init; }

    /// <summary>The last; null: no end.</summary>
    public required long? To { get; init; }

    /// <summary>Price of a unit.</summary>
    public required CatalogAmount UnitPrice { get; init; }
}

/// <summary>The four amount fields.</summary>
internal sealed record CatalogAmount
{
    /// <summary>Integer number of minor units: 999 is 9.99 USD, 1500 is 1500 JPY.</summary>
    public required long? AmountMinor { get; init; }

    /// <summary>The same as a decimal string; null if the currency is not known.</summary>
    public required string? Amount { get; init; }

    /// <summary>ISO 4217.</summary>
    public required string? Currency { get; init; }

    /// <summary>Decimals of the currency: USD 2, JPY 0, KWD 3.</summary>
    public required int? Exponent { get; init; }
}

/// <summary>What became of a price.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PriceStatus>))]
internal enum PriceStatus
{
    /// <summary>As Paymentwall says.</summary>
    [JsonStringEnumMemberName("live")]
    Live,

    /// <summary>As Paymentwall said at <c>asOf</c>; the last refresh failed.</summary>
    [JsonStringEnumMemberName("stale")]
    Stale,

    /// <summary>Not sold in this country, or the component has no SKU.</summary>
    [JsonStringEnumMemberName("notFound")]
    NotFound,

    /// <summary>Could not be had; <c>reason</c> says why.</summary>
    [JsonStringEnumMemberName("unavailable")]
    Unavailable,

    /// <summary>Not asked for (<c>prices=skip</c>).</summary>
    [JsonStringEnumMemberName("skipped")]
    Skipped,
}

/// <summary>What Paymentwall says of a SKU in this country. Where there is no amount, the amount fields are null.</summary>
internal sealed record CatalogPrice
{
    /// <summary>What became of it.</summary>
    public required PriceStatus Status { get; init; }

    /// <summary>Always <c>paymentwall</c>.</summary>
    public string Source { get; } = "paymentwall";

    /// <summary>Paymentwall product id; null if the component has none.</summary>
    public required string? Sku { get; init; }

    /// <summary>Integer number of minor units.</summary>
    public long? AmountMinor { get; init; }

    /// <summary>The same as a decimal string.</summary>
    public string? Amount { get; init; }

    /// <summary>ISO 4217.</summary>
    public string? Currency { get; init; }

    /// <summary>Decimals of the currency.</summary>
    public int? Exponent { get; init; }

    /// <summary>What the amount pays for; null for a one-off. In a trial: the trial's.</summary>
    public Period? Period { get; init; }

    /// <summary>Whether it is charged again every period; null if there is no price.</summary>
    public bool? Recurring { get; init; }

    /// <summary>Not null if the amount and period above are a trial's.</summary>
    public CatalogTrial? Trial { get; init; }

    /// <summary>The merchant's old price, if it is higher.</summary>
    public CatalogAmount? CompareAt { get; init; }

    /// <summary>When what is said was got, if the last refresh failed: of a stale price, and of one that is not found.</summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Why the price is unavailable: timeout, unreachable, rejected, badPayload, throttled or circuitOpen.</summary>
    public UpstreamFailure? Reason { get; init; }

    /// <summary>With <c>circuitOpen</c>: what the upstream kept failing with; absent otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UpstreamFailure? Cause { get; init; }
}

/// <summary>A trial.</summary>
internal sealed record CatalogTrial
{
    /// <summary>What it costs after the trial.</summary>
    public required CatalogThen Then { get; init; }
}

/// <summary>The price after a trial, labelled as any price is.</summary>
internal sealed record CatalogThen
{
    /// <summary>What became of it.</summary>
    public required PriceStatus Status { get; init; }

    /// <summary>SKU of what follows; null if Paymentwall does not say.</summary>
    public required string? Sku { get; init; }

    /// <summary>Integer number of minor units.</summary>
    public long? AmountMinor { get; init; }

    /// <summary>The same as a decimal string.</summary>
    public string? Amount { get; init; }

    /// <summary>ISO 4217.</summary>
    public string? Currency { get; init; }

    /// <summary>Decimals of the currency.</summary>
    public int? Exponent { get; init; }

    /// <summary>What the amount pays for.</summary>
    public Period? Period { get; init; }

    /// <summary>Whether it is charged again every period.</summary>
    public bool? Recurring { get; init; }

    /// <summary>When what is said was got, if the last refresh failed: of a stale price, and of one that is not found.</summary>
    public DateTimeOffset? AsOf { get; init; }

    /// <summary>Why it is unavailable.</summary>
    public UpstreamFailure? Reason { get; init; }

    /// <summary>With <c>circuitOpen</c>: what the upstream kept failing with; absent otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UpstreamFailure? Cause { get; init; }
}
