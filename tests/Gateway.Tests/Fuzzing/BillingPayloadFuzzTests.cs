using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Problems;
using Gateway.Tests.Catalog;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Fuzzing;

public sealed partial class BillingPayloadFuzzTests
{
    private const string Asked = "asked";

    private static readonly string[] Words =
    [
        "{\"items\":[", "]}", "{\"id\":\"x\"}", ",{\"id\":\"y-EUR-m\",\"price\":5}", "\"id\":", "\"productId\":\"\",", "\"price\":-1,", "\"price\":\"1000\",", "\"price\":1.0,",
        "\"currency\":\"EUR\",", "\"billingPeriodUnit\":\"month\",", "\"billingPeriodUnit\":\"\",", "\"trialPeriodUnit\":\"day\",", "\"trialPeriodValue\":10,", "\"trialPeriodValue\":0,",
        "\"freeQuantity\":5,", "\"isUsageBased\":\"1\",", "\"mandatoryComponentIds\":[\"a\",null],", "\"mandatoryComponentIds\":[],", "\"tiers\":[{\"upTo\":1}],", "\"tiers\":null,",
        "\"new\":{\"a\":[1,2]},", "null", "true", "[", "{", "}", "]", ",", ":", "\"", "\\ud800", "\\ud83d\\ude00", "\\u0000", "\\/", "\"items\":[],", "{\"a\":", "\"\\u0069d\":\"z\",", "1e5", " ", "//", "week",
    ];

    private static readonly CatalogRules Rules = Given.Rules();

    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_body_of_Billings_is_what_a_naive_reading_finds_or_a_bad_payload() => FuzzRun.OfBytesAsync("billing", Words, body =>
    {
        var components = BillingPayload.Read(body, Asked);
        var expected = Naive(body, out var decided);
        if (decided)
        {
            Assert.Equal(expected, components?.Select(Text));
        }

        if (components is null)
        {
            return false;
        }

        Assert.All(components, Obeys);

        // What was accepted can be answered with, the same from Redis as from Billing itself.
        var answer = Answer(components);
        var entry = new CacheEntry<IReadOnlyList<BillingComponent>>(components, DateTimeOffset.UnixEpoch, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, epoch: 1);
        var read = CacheWire.Read(CacheWire.Write(entry, FuzzedComponentsContext.Default.IReadOnlyListBillingComponent), FuzzedComponentsContext.Default.IReadOnlyListBillingComponent, TimeProvider.System);
        Assert.Equal(answer, Answer(read!.Value));
        using var json = JsonDocument.Parse(answer);
        Assert.Equal(components.Count, json.RootElement.GetProperty("items").GetArrayLength());
        return true;
    });

    private static void Obeys(BillingComponent component)
    {
        Assert.NotEmpty(component.Id);
        Assert.NotEmpty(component.ProductId);
        Assert.False(component.PriceMinor < 0);
        Assert.False(component.FreeQuantity < 0);
        Assert.DoesNotContain(null, component.MandatoryComponentIds);
        Assert.True(component.BillingPeriod is null or { Count: 1, Unit: "day" or "week" or "month" or "year" });
        Assert.True(component.TrialPeriod is null or { Count: >= 1 and <= 10_000, Unit: "day" or "week" or "month" or "year" });
    }

    private static string Answer(IReadOnlyList<BillingComponent> components) => Given.Json(CatalogMerge.Merge(
        Given.Request() with { Prices = PriceMode.Skip },
        [new ProductListing("p", components)],
        new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal),
        Rules));

    private static string Text(BillingComponent component) => Join(
        component.Id, component.ProductId, component.GroupId, component.Type, component.Status, component.PricingModel, component.UsageBased, component.PriceMinor, component.Currency,
        component.BillingPeriod?.Iso, component.TrialPeriod?.Iso, component.FreeQuantity, string.Join(',', component.MandatoryComponentIds),
        string.Join(',', component.Tiers.Select(tier => tier.GetRawText())),
        string.Join(',', (component.Extensions ?? new Dictionary<string, JsonElement>(StringComparer.Ordinal)).Select(pair => pair.Key + ":" + pair.Value.GetRawText())));

    private static string Join(params object?[] parts) => string.Join('|', parts);

    /// <summary>The components as text, by walking through the document; null if it is not as documented.</summary>
    /// <param name="body">The body.</param>
    /// <param name="decided">False where names are not made of characters, of which only that nothing breaks is asked.</param>
    private static List<string>? Naive(byte[] body, out bool decided)
    {
        decided = true;
        if (!Utf8.IsValid(body))
        {
            return null;
        }

        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
        }
        catch (JsonException)
        {
            return null;
        }

        using (json)
        {
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            List<JsonElement>? items = null;
            var found = 0;
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (NaiveJson.Name(property) is not { } name)
                {
                    decided = false;
                    return null;
                }

                if (name != "items")
                {
                    continue;
                }

                if (found++ > 0)
                {
                    return null;
                }

                if (property.Value.ValueKind == JsonValueKind.Null)
                {
                    items = null;
                }
                else if (property.Value.ValueKind == JsonValueKind.Array)
                {
                    items = [.. property.Value.EnumerateArray()];
                    if (!items.TrueForAll(item => item.ValueKind == JsonValueKind.Null || (item.ValueKind == JsonValueKind.Object && HasRightTypes(item))))
                    {
                        decided = items.TrueForAll(NamesAreText);
                        return null;
                    }
                }
                else
                {
                    return null;
                }
            }

            decided = items?.TrueForAll(NamesAreText) ?? true;
            var components = items?.ConvertAll(Component);
            return components is null || components.Contains(null) ? null : components.ConvertAll(text => text!);
        }
    }

    private static bool NamesAreText(JsonElement item) => item.ValueKind != JsonValueKind.Object || item.EnumerateObject().All(property => NaiveJson.Name(property) is not null);

    private static bool HasRightTypes(JsonElement item)
    {
        var hasId = false;
        var names = new HashSet<string?>(StringComparer.Ordinal);
        foreach (var property in item.EnumerateObject())
        {
            var value = property.Value;
            var name = NaiveJson.Name(property);
            if (!names.Add(name))
            {
                return false;
            }

            hasId |= name == "id";
            if (!(name switch
            {
                "id" or "productId" or "componentGroupId" or "componentType" or "status" or "pricingModel" or "currency" or "billingPeriodUnit" or "trialPeriodUnit" => NaiveJson.StringOrNull(value).Read,
                "isUsageBased" => NaiveJson.Flag(value).Read,
                "price" or "trialPeriodValue" or "freeQuantity" => NaiveJson.Integer(value).Read,
                "tiers" => value.ValueKind is JsonValueKind.Null or JsonValueKind.Array,
                "mandatoryComponentIds" => value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(id => NaiveJson.StringOrNull(id).Read)),
                _ => true,
            }))
            {
                return false;
            }
        }

        return hasId;
    }

    private static string? Component(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var fields = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in item.EnumerateObject())
        {
            fields[NaiveJson.Name(property) ?? string.Empty] = property.Value;
        }

        var id = String("id");
        var (price, free) = (Integer("price"), Integer("freeQuantity"));
        var ids = List("mandatoryComponentIds").ConvertAll(value => NaiveJson.StringOrNull(value).Value);
        var tiers = List("tiers");
        string? billing = null;
        var soundBilling = String("billingPeriodUnit") is not { Length: > 0 } unit || (billing = Period(unit, 1)) is not null;
        var (trialUnit, trialCount) = (String("trialPeriodUnit"), Integer("trialPeriodValue"));
        string? trial = null;
        var soundTrial = trialCount == 0 || (string.IsNullOrEmpty(trialUnit) && trialCount is null) || (trial = Period(trialUnit, trialCount)) is not null;
        var unknown = fields.Where(field => !Known.Contains(field.Key, StringComparer.Ordinal)).ToList();
        if (string.IsNullOrEmpty(id) || price < 0 || free < 0 || ids.Contains(null) || !soundBilling || !soundTrial || !tiers.TrueForAll(NaiveJson.IsText) || !unknown.TrueForAll(field => NaiveJson.IsText(field.Value)))
        {
            return null;
        }

        var product = String("productId");
        return Join(
            id, string.IsNullOrEmpty(product) ? Asked : product, String("componentGroupId"), String("componentType"), String("status"), String("pricingModel"),
            (fields.TryGetValue("isUsageBased", out var usage) ? NaiveJson.Flag(usage).Value : null) ?? false, price, String("currency"), billing, trial, free,
            string.Join(',', ids), string.Join(',', tiers.Select(tier => tier.GetRawText())), string.Join(',', unknown.Select(field => field.Key + ":" + field.Value.GetRawText())));

        string? String(string name) => fields.TryGetValue(name, out var value) ? NaiveJson.StringOrNull(value).Value : null;

        long? Integer(string name) => fields.TryGetValue(name, out var value) ? NaiveJson.Integer(value).Value : null;

        List<JsonElement> List(string name) => fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [];
    }

    internal static string? Period(string? unit, long? count) => (unit?.ToLowerInvariant() is [.. var one, 's'] ? one : unit?.ToLowerInvariant(), count) switch
    {
        (_, null or < 1 or > 10_000) => null,
        ("day", _) => $"P{count}D",
        ("week", _) => $"P{count}W",
        ("month", _) => $"P{count}M",
        ("year", _) => $"P{count}Y",
        _ => null,
    };

    private static readonly string[] Known =
    [
        "id", "productId", "componentGroupId", "componentType", "status", "isUsageBased", "pricingModel", "price", "currency", "tiers", "billingPeriodUnit", "trialPeriodValue",
        "trialPeriodUnit", "freeQuantity", "mandatoryComponentIds",
    ];

    [JsonSerializable(typeof(IReadOnlyList<BillingComponent>))]
    private sealed partial class FuzzedComponentsContext : JsonSerializerContext;
}
