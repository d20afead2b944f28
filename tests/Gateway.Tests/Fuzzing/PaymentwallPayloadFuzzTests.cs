using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Fuzzing;

public sealed partial class PaymentwallPayloadFuzzTests
{
    private static readonly string[] Words =
    [
        "{", "}", "[]", "[", "]", ",", ":", "\"", "null", "\"object\":\"product\",", "\"object\":null,", "\"amount\":\"9.99\",", "\"amount\":9.99,", "\"amount\":\"\",", "\"currency\":\"JPY\",", "\"currency\":\"KWD\",",
        "\"currency\":\"usd\",", "\"name\":\"\",", "\"name\":5,", "\"period_length\":\"1\",", "\"period_length\":0,", "\"period_type\":\"month\",", "\"period_type\":\"\",", "\"recurring\":\"1\",", "\"trial\":1,", "\"trial\":\"\",",
        "\"post_trial_product_id\":\"next\",", "\"old_price\":\"12.00\",", "\"old_price\":0,", "\"old_price\":\"-1\",", "\"custom_fields\":{\"a\":[1]},", "\\ud800", "\\u0000", "1e2", " ", "fn(", ");", "\u00EF\u00BB\u00BF",
    ];

    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_body_of_Paymentwalls_is_what_a_naive_reading_finds_or_a_bad_payload() => FuzzRun.OfBytesAsync("paymentwall", Words, body =>
    {
        var reading = PaymentwallPayload.Read(body);
        var (read, product) = (reading.Failure is null, reading.Product);
        var expected = Naive(body, out var decided);
        if (decided)
        {
            Assert.Equal(expected, read ? Text(product) : reading.Failure == UpstreamFailure.Rejected ? "refused" : null);
        }

        if (!read)
        {
            Assert.Null(product);
            return false;
        }

        if (product is not null)
        {
            Assert.True(product.Price.AmountMinor >= 0);
            Assert.True(product.OldPrice is not { AmountMinor: <= 0 });
            Assert.True(product.Period is null or { Count: >= 1 and <= 10_000 });
            Assert.True(product.Name is not "" && product.PostTrialSku is not "");
        }

        var entry = new CacheEntry<PaymentwallProduct?>(product, DateTimeOffset.UnixEpoch, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, epoch: 1);
        Assert.Equal(product, CacheWire.Read(CacheWire.Write(entry, FuzzedProductContext.Default.PaymentwallProduct!), FuzzedProductContext.Default.PaymentwallProduct!, TimeProvider.System)!.Value);
        return true;
    });

    private static string Text(PaymentwallProduct? product) => product is null
        ? "not found"
        : Join(
            product.Name, product.Price.AmountMinor, product.Price.Currency.Code, product.Period?.Iso, product.Recurring, product.IsTrial, product.PostTrialSku,
            product.OldPrice?.AmountMinor);

    private static string Join(params object?[] parts) => string.Join('|', parts);

    /// <summary>The product as text, by walking through the document; null if it is not as documented.</summary>
    /// <param name="body">The body.</param>
    /// <param name="decided">False where names are not made of characters, of which only that nothing breaks is asked.</param>
    private static string? Naive(byte[] body, out bool decided)
    {
        decided = true;
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }

        using (json)
        {
            if (json.RootElement.ValueKind == JsonValueKind.Array)
            {
                return json.RootElement.GetArrayLength() == 0 ? "not found" : null;
            }

            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            var fields = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var property in json.RootElement.EnumerateObject())
            {
                var value = property.Value;
                (bool Read, object? Value) field;
                switch (NaiveJson.Name(property))
                {
                    case null:
                        decided = false;
                        return null;
                    case "object" or "currency":
                        field = NaiveJson.StringOrNull(value);
                        break;
                    case "amount":
                        field = NaiveJson.Text(value);
                        break;
                    case "name" or "period_type" or "post_trial_product_id" or "old_price":
                        field = OrUnreadable(value, NaiveJson.Text(value));
                        break;
                    case "period_length" or "code":
                        field = OrUnreadable(value, NaiveJson.Integer(value));
                        break;
                    case "recurring" or "trial":
                        field = OrUnreadable(value, NaiveJson.Flag(value));
                        break;
                    default:
                        continue;
                }

                if (!field.Read || !fields.TryAdd(property.Name, field.Value))
                {
                    return null;
                }
            }

            return Product(name => fields.GetValueOrDefault(name));
        }
    }

    private static string? Product(Func<string, object?> field)
    {
        if (field("object") is string kind && kind.Equals("error", StringComparison.OrdinalIgnoreCase))
        {
            return "refused";
        }

        if (field("object") is not (null or "product") || !Currency.TryGet((string?)field("currency"), out var currency)
            || field("amount") is not string amount || MoneyFuzzTests.Minor(amount, currency.Exponent) is not { } price)
        {
            return null;
        }

        var oldPrice = field("old_price") is string old ? MoneyFuzzTests.Minor(old, currency.Exponent) : null;
        if (field("period_length") == Unreadable || field("period_type") == Unreadable)
        {
            return null;
        }

        var (length, unit) = ((long?)field("period_length"), (string?)field("period_type"));
        string? period = null;
        if (length != 0 && (length, unit) is not (null, null) && (period = BillingPayloadFuzzTests.Period(unit, length)) is null)
        {
            return null;
        }

        return Join(
            field("name") as string, price, currency.Code, period, field("recurring") as bool? ?? false,
            field("trial") == Unreadable ? field("post_trial_product_id") is string : field("trial") ?? false, field("post_trial_product_id") as string,
            oldPrice == 0 ? null : oldPrice);
    }

    /// <summary>What is not readable where it may be missing.</summary>
    private static readonly object Unreadable = new();

    private static (bool Read, object? Value) OrUnreadable<T>(JsonElement value, (bool Read, T? Value) field) =>
        (true, field.Read ? field.Value : value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0 ? null : Unreadable);

    [JsonSerializable(typeof(PaymentwallProduct))]
    private sealed partial class FuzzedProductContext : JsonSerializerContext;
}
