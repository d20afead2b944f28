using System.Text.Json;

namespace Gateway.DeploymentTests.Soak;

/// <summary>An answer of the catalog as a frontend reads it.</summary>
internal sealed record CatalogContent(
    string Country, string? Lang, bool Sandbox, bool Complete, IReadOnlyDictionary<string, int> Counts,
    IReadOnlyList<(string ProductId, string Code)> FailedProducts, IReadOnlyList<CatalogContent.Item> Items, int Total)
{
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="InvalidOperationException">A field has not the type of the contract.</exception>
    /// <exception cref="KeyNotFoundException">A field of the contract is not there.</exception>
    public static CatalogContent Read(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        var context = root.GetProperty("context");
        var completeness = root.GetProperty("completeness");
        return new CatalogContent(
            context.GetProperty("country").GetString()!,
            context.GetProperty("lang").GetString(),
            context.GetProperty("sandbox").GetBoolean(),
            completeness.GetProperty("complete").GetBoolean(),
            completeness.EnumerateObject().Where(one => one.Value.ValueKind == JsonValueKind.Number)
                .ToDictionary(one => one.Name, one => one.Value.GetInt32(), StringComparer.Ordinal),
            [.. completeness.GetProperty("failedProducts").EnumerateArray().Select(one => (one.GetProperty("productId").GetString()!, one.GetProperty("code").GetString()!))],
            [.. root.GetProperty("items").EnumerateArray().Select(ReadItem)],
            root.GetProperty("total").GetInt32());
    }

    private static Item ReadItem(JsonElement item)
    {
        var price = item.GetProperty("price");
        return new Item(
            item.GetProperty("id").GetString()!,
            item.GetProperty("productId").GetString()!,
            ReadPrice(price),
            price.GetProperty("trial") is { ValueKind: JsonValueKind.Object } trial ? ReadPrice(trial.GetProperty("then")) : null);
    }

    private static Price ReadPrice(JsonElement price) => new(
        price.GetProperty("status").GetString()!,
        price.GetProperty("sku").GetString(),
        price.GetProperty("amountMinor") is { ValueKind: JsonValueKind.Number } minor ? minor.GetInt64() : null,
        price.GetProperty("amount").GetString(),
        price.GetProperty("currency").GetString(),
        price.GetProperty("exponent") is { ValueKind: JsonValueKind.Number } exponent ? exponent.GetInt32() : null,
        price.GetProperty("asOf") is { ValueKind: JsonValueKind.String } asOf ? asOf.GetDateTimeOffset() : null,
        price.GetProperty("reason").GetString());

    internal sealed record Item(string Id, string ProductId, Price Price, Price? Then);

    internal sealed record Price(
        string Status, string? Sku, long? AmountMinor, string? Amount, string? Currency, int? Exponent, DateTimeOffset? AsOf, string? Reason);
}
