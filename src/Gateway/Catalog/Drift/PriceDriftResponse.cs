using System.Text.Json.Serialization;

namespace Gateway.Catalog.Drift;

/// <summary>What <c>GET /admin/price-drift</c> answers.</summary>
internal sealed record PriceDriftResponse
{
    /// <summary>Items whose two prices have the same currency and period and differ.</summary>
    public required IReadOnlyList<PriceDriftItem> Drift { get; init; }

    /// <summary>Components that no SKU is mapped to.</summary>
    public required IReadOnlyList<PriceGap> WithoutSku { get; init; }

    /// <summary>SKUs that Paymentwall does not sell in a country that was asked for.</summary>
    public required IReadOnlyList<PriceGap> NotFound { get; init; }
}

/// <summary>One item on which Billing and Paymentwall disagree.</summary>
internal sealed record PriceDriftItem
{
    /// <summary>Billing's component id.</summary>
    public required string Id { get; init; }

    /// <summary>Paymentwall's product; after a trial the one that follows it.</summary>
    public required string Sku { get; init; }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public required string Country { get; init; }

    /// <summary>ISO 4217, of both.</summary>
    public required string Currency { get; init; }

    /// <summary>ISO 8601 duration, of both; null for what is paid once.</summary>
    public string? Period { get; init; }

    /// <summary>Billing's price.</summary>
    public string? ListAmount { get; init; }

    /// <summary>Billing's price in the currency's smallest unit.</summary>
    public required long ListAmountMinor { get; init; }

    /// <summary>Paymentwall's price, which the customer pays.</summary>
    public string? PriceAmount { get; init; }

    /// <summary>Paymentwall's price in the currency's smallest unit.</summary>
    public required long PriceAmountMinor { get; init; }

    /// <summary>When it was last seen so.</summary>
    public required DateTimeOffset SeenAt { get; init; }
}

/// <summary>A component that has no price because of the mapping.</summary>
internal sealed record PriceGap
{
    /// <summary>Billing's component id.</summary>
    public required string Id { get; init; }

    /// <summary>The SKU that is not sold; null where none is mapped.</summary>
    public string? Sku { get; init; }

    /// <summary>The country that was asked for; null where no SKU is mapped.</summary>
    public string? Country { get; init; }

    /// <summary>When it was last seen so.</summary>
    public required DateTimeOffset SeenAt { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PriceDriftResponse))]
internal sealed partial class PriceDriftJsonContext : JsonSerializerContext;
