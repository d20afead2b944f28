using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Iso;
using Gateway.Problems;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>What a body of Paymentwall's says.</summary>
/// <param name="Product">Null without a failure: Paymentwall does not sell it.</param>
/// <param name="Failure">Null, <see cref="UpstreamFailure.BadPayload"/> or, for the vendor's error object, <see cref="UpstreamFailure.Rejected"/>.</param>
/// <param name="ErrorCode">The vendor's number for its error.</param>
/// <param name="Unreadable">Fields beside amount, currency and period that could not be read, and count as absent.</param>
internal sealed record PaymentwallReading(PaymentwallProduct? Product, UpstreamFailure? Failure = null, long? ErrorCode = null, IReadOnlyList<string>? Unreadable = null);

/// <summary>
/// Reads Paymentwall's wire format. Amount, currency and period make the price: one that is garbled, or any member given twice, makes
/// the answer a bad payload. What is beside the point never costs the price.
/// </summary>
internal static partial class PaymentwallPayload
{
    private static readonly PaymentwallReading NotSold = new(Product: null);
    private static readonly PaymentwallReading Bad = new(Product: null, UpstreamFailure.BadPayload);

    public static PaymentwallReading Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return IsEmptyArray(body) ? NotSold
                : JsonSerializer.Deserialize(body, PaymentwallPayloadContext.Default.Details) is { } details ? Read(details)
                : Bad;
        }
        catch (JsonException)
        {
            return Bad;
        }
    }

    private static bool IsEmptyArray(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        return reader.Read() && reader.TokenType == JsonTokenType.StartArray
            && reader.Read() && reader.TokenType == JsonTokenType.EndArray
            && !reader.Read();
    }

    private static PaymentwallReading Read(Details details)
    {
        if ("error".Equals(details.Object, StringComparison.OrdinalIgnoreCase))
        {
            return new PaymentwallReading(Product: null, UpstreamFailure.Rejected, details.Code.Value);
        }

        if (details.Object is not (null or "product")
            || !Currency.TryGet(details.Currency, out var currency)
            || !Money.TryParse(details.Amount, currency, out var price)
            || !TryPeriod(details, out var period))
        {
            return Bad;
        }

        var hasOldPrice = Money.TryParse(details.OldPrice.Value, currency, out var oldPrice);
        return new PaymentwallReading(
            new PaymentwallProduct
            {
                Name = details.Name.Value,
                Price = price,
                Period = period,
                Recurring = details.Recurring.Value ?? false,

                // An amount that may be a trial's must not look like the price.
                IsTrial = details.Trial.Value ?? (details.Trial.IsUnreadable && details.PostTrialProductId.Value is not null),
                PostTrialSku = details.PostTrialProductId.Value,
                OldPrice = hasOldPrice && oldPrice.AmountMinor > 0 ? oldPrice : null,
            },
            Unreadable: Unreadable(details, hasOldPrice));
    }

    private static List<string>? Unreadable(Details details, bool hasOldPrice)
    {
        List<string>? names = null;
        Note("name", details.Name.IsUnreadable);
        Note("recurring", details.Recurring.IsUnreadable);
        Note("trial", details.Trial.IsUnreadable);
        Note("post_trial_product_id", details.PostTrialProductId.IsUnreadable);
        Note("old_price", details.OldPrice.IsUnreadable || (details.OldPrice.Value is not null && !hasOldPrice));
        return names;

        void Note(string name, bool isUnreadable)
        {
            if (isUnreadable)
            {
                (names ??= []).Add(name);
            }
        }
    }

    private static bool TryPeriod(Details details, out Period? period)
    {
        period = null;
        var (length, unit) = (details.PeriodLength, details.PeriodType);
        return !length.IsUnreadable && !unit.IsUnreadable
            && (length.Value == 0
                || (unit.Value is null && length.Value is null)
                || (length.Value is { } count && Period.TryCreate(unit.Value, count, out period)));
    }

    private sealed record Details
    {
        [JsonPropertyName("object")]
        public string? Object { get; init; }

        [JsonPropertyName("code")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<long?, LenientJson.Integer>))]
        public LenientJson.Field<long?> Code { get; init; }

        [JsonPropertyName("name")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<string?, LenientJson.Text>))]
        public LenientJson.Field<string?> Name { get; init; }

        [JsonPropertyName("amount")]
        [JsonConverter(typeof(LenientJson.Text))]
        public string? Amount { get; init; }

        [JsonPropertyName("currency")]
        public string? Currency { get; init; }

        [JsonPropertyName("period_length")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<long?, LenientJson.Integer>))]
        public LenientJson.Field<long?> PeriodLength { get; init; }

        [JsonPropertyName("period_type")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<string?, LenientJson.Text>))]
        public LenientJson.Field<string?> PeriodType { get; init; }

        [JsonPropertyName("recurring")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<bool?, LenientJson.Flag>))]
        public LenientJson.Field<bool?> Recurring { get; init; }

        [JsonPropertyName("trial")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<bool?, LenientJson.Flag>))]
        public LenientJson.Field<bool?> Trial { get; init; }

        [JsonPropertyName("post_trial_product_id")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<string?, LenientJson.Text>))]
        public LenientJson.Field<string?> PostTrialProductId { get; init; }

        [JsonPropertyName("old_price")]
        [JsonConverter(typeof(LenientJson.OrUnreadable<string?, LenientJson.Text>))]
        public LenientJson.Field<string?> OldPrice { get; init; }
    }

    /// <remarks>Of an amount given twice nobody knows which one is meant.</remarks>
    [JsonSourceGenerationOptions(AllowDuplicateProperties = false)]
    [JsonSerializable(typeof(Details))]
    private sealed partial class PaymentwallPayloadContext : JsonSerializerContext;
}
