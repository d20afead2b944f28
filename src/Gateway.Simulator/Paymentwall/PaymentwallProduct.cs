using System.Text.Json;

namespace Gateway.Simulator.Paymentwall;

/// <summary>What Paymentwall knows of one SKU; <see cref="ToJson"/> says it the way it does for a country.</summary>
internal sealed record PaymentwallProduct
{
    public enum OldPriceForm
    {
        Absent,
        Text,
        Number,
        EmptyText,
    }

    public required string Sku { get; init; }

    public required string Name { get; init; }

    /// <summary>What it costs in the United States; in a trial, what the trial costs.</summary>
    public required long UsdCents { get; init; }

    /// <summary>Null: sold once, of type "fixed".</summary>
    public string? PeriodType { get; init; }

    public string PeriodLength { get; init; } = "1";

    /// <summary>Set: this is a trial, and that SKU is what follows.</summary>
    public string? PostTrialSku { get; init; }

    /// <summary>Null: sold everywhere.</summary>
    public IReadOnlySet<string>? Countries { get; init; }

    public OldPriceForm OldPrice { get; init; }

    public long OldUsdCents { get; init; }

    public bool IdleDecimals { get; init; }

    /// <summary>The newer optional fields, with the vendor's mixture of types.</summary>
    public JsonElement? Extras { get; init; }

    public bool IsSoldIn(string country) => Countries is null || Countries.Contains(country);

    public byte[] ToJson(int number, string country)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("object", "product");
            json.WriteString("id", FormattableString.Invariant($"product_{number}"));
            json.WriteString("name", Name);
            json.WriteString("amount", LocalAmount.Format(UsdCents, country, IdleDecimals));
            json.WriteString("currency", LocalAmount.CurrencyCode(country));
            json.WriteString("type", PeriodType is null ? "fixed" : "subscription");
            WritePeriod(json);
            WriteOldPrice(json, country);
            if (Extras is { } extras)
            {
                foreach (var extra in extras.EnumerateObject())
                {
                    extra.WriteTo(json);
                }
            }

            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private void WritePeriod(Utf8JsonWriter json)
    {
        if (PeriodType is null)
        {
            return;
        }

        json.WriteString("period_length", PeriodLength);
        json.WriteString("period_type", PeriodType);
        json.WriteString("recurring", "1");
        if (PostTrialSku is not null)
        {
            json.WriteString("trial", "1");
            json.WriteString("post_trial_product_id", PostTrialSku);
        }
    }

    private void WriteOldPrice(Utf8JsonWriter json, string country)
    {
        var amount = LocalAmount.Format(OldUsdCents, country, IdleDecimals);
        switch (OldPrice)
        {
            case OldPriceForm.Text:
                json.WriteString("old_price", amount);
                break;
            case OldPriceForm.Number:
                json.WritePropertyName("old_price");
                json.WriteRawValue(amount);
                break;
            case OldPriceForm.EmptyText:
                json.WriteString("old_price", "");
                break;
            default:
                break;
        }
    }
}
