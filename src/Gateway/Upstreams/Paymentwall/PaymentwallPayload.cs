using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Iso;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>Reads Paymentwall's wire format, whole or not at all.</summary>
internal static partial class PaymentwallPayload
{
    /// <summary>False if the body is not of the documented shape. A null product: <c>[]</c>, Paymentwall's word for "not found".</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out PaymentwallProduct? product)
    {
        product = null;
        try
        {
            if (IsEmptyArray(body))
            {
                return true;
            }

            return JsonSerializer.Deserialize(body, PaymentwallPayloadContext.Default.Details) is { } details
                && (product = ToProduct(details)) is not null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsEmptyArray(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        return reader.Read() && reader.TokenType == JsonTokenType.StartArray
            && reader.Read() && reader.TokenType == JsonTokenType.EndArray
            && !reader.Read();
    }

    private static PaymentwallProduct? ToProduct(Details details)
    {
        if (details.Object is not (null or "product")
            || !Currency.TryGet(details.Currency, out var currency)
            || !Money.TryParse(details.Amount, currency, out var price)
            || !TryPeriod(details, out var period)
            || !TryOldPrice(details.OldPrice, currency, out var oldPrice))
        {
            return null;
        }

        return new PaymentwallProduct
        {
            Name = details.Name,
            Price = price,
            Period = period,
            Recurring = details.Recurring ?? false,
            IsTrial = details.Trial ?? false,
            PostTrialSku = details.PostTrialProductId,
            OldPrice = oldPrice,
        };
    }

    private static bool TryPeriod(Details details, out Period? period)
    {
        period = null;
        return details.PeriodLength == 0
            || (details.PeriodType is null && details.PeriodLength is null)
            || (details.PeriodLength is { } length && Period.TryCreate(details.PeriodType, length, out period));
    }

    private static bool TryOldPrice(string? text, Currency currency, out Money? oldPrice)
    {
        oldPrice = null;
        if (text is null)
        {
            return true;
        }

        if (!Money.TryParse(text, currency, out var money))
        {
            return false;
        }

        oldPrice = money.AmountMinor == 0 ? null : money;
        return true;
    }

    private sealed record Details
    {
        [JsonPropertyName("object")]
        public string? Object { get; init; }

        [JsonPropertyName("name")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? Name { get; init; }

        [JsonPropertyName("amount")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? Amount { get; init; }

        [JsonPropertyName("currency")]
        public string? Currency { get; init; }

        [JsonPropertyName("period_length")]
        [JsonConverter(typeof(LenientJson.Integer))]
        public long? PeriodLength { get; init; }

        [JsonPropertyName("period_type")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? PeriodType { get; init; }

        [JsonPropertyName("recurring")]
        [JsonConverter(typeof(LenientJson.Flag))]
        public bool? Recurring { get; init; }

        [JsonPropertyName("trial")]
        [JsonConverter(typeof(LenientJson.Flag))]
        public bool? Trial { get; init; }

        [JsonPropertyName("post_trial_product_id")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? PostTrialProductId { get; init; }

        [JsonPropertyName("old_price")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? OldPrice { get; init; }
    }

    [JsonSerializable(typeof(Details))]
    private sealed partial class PaymentwallPayloadContext : JsonSerializerContext;
}
