using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Gateway.Iso;

namespace Gateway.Upstreams.Billing;

/// <summary>Reads Billing's wire format, whole or not at all.</summary>
internal static partial class BillingPayload
{
    /// <summary>The components in Billing's order; null if the body is not of the documented shape.</summary>
    /// <param name="body">The body of a 200.</param>
    /// <param name="productId">The product that was asked for, where an item does not say its own.</param>
    public static IReadOnlyList<BillingComponent>? Read(ReadOnlySpan<byte> body, string productId)
    {
        // What is kept as it came is not looked at by the deserializer, and what is not UTF-8 comes back from the cache as something else.
        if (!Utf8.IsValid(body))
        {
            return null;
        }

        try
        {
            var page = JsonSerializer.Deserialize(body, BillingPayloadContext.Default.Page);
            if (page?.Items is not { } items)
            {
                return null;
            }

            var components = new List<BillingComponent>(items.Count);
            foreach (var item in items)
            {
                if (item is null || ToComponent(item, productId) is not { } component)
                {
                    return null;
                }

                components.Add(component);
            }

            return components;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>
    /// A tier in the form that the platform behind Billing documents and nobody has confirmed for this API: <c>starting_unit</c>,
    /// <c>ending_unit</c> (null or absent: no end) and <c>price</c> in minor units, and nothing else; null for any other form.
    /// </summary>
    public static (long From, long? To, long PriceMinor)? ReadTier(JsonElement tier)
    {
        if (tier.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        long? from = null, to = null, price = null;
        foreach (var member in tier.EnumerateObject())
        {
            long? value = member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out var number) && number >= 0 ? number : null;
            switch (member.Name)
            {
                case "starting_unit" when from is null && value is not null:
                    from = value;
                    break;
                case "ending_unit" when to is null && (value is not null || member.Value.ValueKind == JsonValueKind.Null):
                    to = value;
                    break;
                case "price" when price is null && value is not null:
                    price = value;
                    break;
                default:
                    return null;
            }
        }

        return from is { } first && price is { } minor && !(to < first) ? (first, to, minor) : null;
    }

    private static BillingComponent? ToComponent(Item item, string productId)
    {
        // JsonRequired asks for the property, not for a value.
        if (string.IsNullOrEmpty(item.Id)
            || item.Price < 0
            || item.FreeQuantity < 0
            || !TryPeriod(item.BillingPeriodUnit, string.IsNullOrEmpty(item.BillingPeriodUnit) ? null : 1, out var billingPeriod)
            || !TryPeriod(item.TrialPeriodUnit, item.TrialPeriodValue, out var trialPeriod)
            || (item.MandatoryComponentIds?.Contains(null) ?? false)
            || !(item.Tiers ?? []).Concat(item.Unknown?.Values ?? Enumerable.Empty<JsonElement>()).All(IsWritable))
        {
            return null;
        }

        return new BillingComponent
        {
            Id = item.Id,
            ProductId = string.IsNullOrEmpty(item.ProductId) ? productId : item.ProductId,
            GroupId = item.ComponentGroupId,
            Type = item.ComponentType,
            Status = item.Status,
            PricingModel = item.PricingModel,
            UsageBased = item.IsUsageBased ?? false,
            PriceMinor = item.Price,
            Currency = item.Currency,
            BillingPeriod = billingPeriod,
            TrialPeriod = trialPeriod,
            FreeQuantity = item.FreeQuantity,
            MandatoryComponentIds = item.MandatoryComponentIds?.OfType<string>().ToList() ?? [],
            Tiers = item.Tiers ?? [],
            Extensions = item.Unknown is { Count: > 0 } unknown
                ? new SortedDictionary<string, JsonElement>(unknown, StringComparer.Ordinal)
                : null,
        };
    }

    /// <summary>A period needs both halves; neither, or a value of zero, is no period; one half alone or an unknown unit is wrong.</summary>
    private static bool TryPeriod(string? unit, long? count, out Period? period)
    {
        period = null;
        return (string.IsNullOrEmpty(unit) && count is null or 0) || count is 0 || (count is { } n && Period.TryCreate(unit, n, out period));
    }

    /// <summary>What is kept as it came is written again later; JSON can be read that cannot be (a lone surrogate's escape).</summary>
    private static bool IsWritable(JsonElement element)
    {
        try
        {
            using var writer = new Utf8JsonWriter(Stream.Null);
            element.WriteTo(writer);
            return true;
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    private sealed record Page
    {
        public List<Item?>? Items { get; init; }
    }

    private sealed record Item
    {
        [JsonRequired]
        public string Id { get; init; } = string.Empty;

        public string? ProductId { get; init; }

        public string? ComponentGroupId { get; init; }

        public string? ComponentType { get; init; }

        public string? Status { get; init; }

        [JsonConverter(typeof(LenientJson.Flag))]
        public bool? IsUsageBased { get; init; }

        public string? PricingModel { get; init; }

        [JsonConverter(typeof(LenientJson.Integer))]
        public long? Price { get; init; }

        public string? Currency { get; init; }

        public List<JsonElement>? Tiers { get; init; }

        public string? BillingPeriodUnit { get; init; }

        [JsonConverter(typeof(LenientJson.Integer))]
        public long? TrialPeriodValue { get; init; }

        public string? TrialPeriodUnit { get; init; }

        [JsonConverter(typeof(LenientJson.Integer))]
        public long? FreeQuantity { get; init; }

        public List<string?>? MandatoryComponentIds { get; init; }

        [JsonExtensionData]
        public Dictionary<string, JsonElement>? Unknown { get; set; }
    }

    /// <remarks>Depth: what is kept goes into our own answer a few levels deeper, whose limit is 64.</remarks>
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 32, AllowDuplicateProperties = false)]
    [JsonSerializable(typeof(Page))]
    private sealed partial class BillingPayloadContext : JsonSerializerContext;
}
