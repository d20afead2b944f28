using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.FunctionalTests.Oracle;

/// <summary>
/// The catalog as the contract describes it, the naive way: one thing after the other, every upstream asked every time, and the last
/// good answer for the same question remembered for when it fails. It shares nothing with the gateway but the contract.
/// </summary>
internal sealed class ReferenceCatalog
{
    /// <summary>The gateway of the oracle is configured so.</summary>
    public static readonly (string Key, string Value)[] Settings =
    [
        ("Catalog:DefaultCountry", "US"),
        ("Paymentwall:MaxConcurrency", "500"),
        ("Catalog:SkuMap:no-sku", string.Empty),
        ("Catalog:SkuMap:mapped", "mapped-sku"),
        ("Catalog:Overlay:overlaid:Name", "Ours"),
        ("Catalog:Overlay:overlaid:Description", "What it is."),
        ("Catalog:Overlay:overlaid:Features:0", "one"),
        ("Catalog:Overlay:overlaid:Features:1", "two & three"),
        ("Catalog:Overlay:no-sku:Name", "Free of charge"),
    ];

    private readonly Dictionary<string, JsonArray?> _components = [];
    private readonly Dictionary<(string Sku, string Country), JsonObject?> _prices = [];

    /// <param name="question">What is asked.</param>
    /// <param name="world">What the upstreams say now.</param>
    /// <param name="hasToken">Whether Billing can be asked at all.</param>
    public ReferenceAnswer Ask(OracleQuestion question, OracleWorld world, bool hasToken)
    {
        var country = question.Country is null ? "US" : question.Country.ToUpperInvariant();
        var items = new List<(string, IReadOnlyList<JsonObject>)>();
        var failed = new List<(string, string)>();
        foreach (var productId in question.Products.Distinct())
        {
            var (components, code) = List(productId, question, world, hasToken);
            if (components is null)
            {
                failed.Add((productId, code!));
                continue;
            }

            foreach (var component in components)
            {
                if (IsSelected(component!, question))
                {
                    items.Add((productId, Item(component!.AsObject(), productId, country, question.Prices == "skip", world)));
                }
            }
        }

        var context = new JsonObject
        {
            ["country"] = country,
            ["countrySource"] = question.Country is null ? "default" : "query",
            ["lang"] = question.Language,
            ["sandbox"] = question.Sandbox == "true",
        };
        return new ReferenceAnswer(question, context, items, failed);
    }

    /// <summary>The product's components, or the code of the problem.</summary>
    private (JsonArray? Components, string? Code) List(string productId, OracleQuestion question, OracleWorld world, bool hasToken)
    {
        var key = $"{productId} {question.Language} {question.Sandbox == "true"}";
        var served = world.Products.TryGetValue(productId, out var said) ? said : Served.NotFound;
        var (components, failure) = (default(JsonArray), hasToken ? null : "tokenUnavailable");
        if (hasToken)
        {
            if (served.Status == 200)
            {
                components = Parse(served.Body!) is JsonObject page && page["items"] is JsonArray array ? array : null;
                failure = components is null ? "upstreamBadPayload" : null;
            }
            else if (served.Status != 404)
            {
                failure = served.Status == 0 ? "upstreamUnreachable" : "upstreamRejected";
            }
        }

        if (failure is null)
        {
            _components[key] = components;
        }
        else if (!_components.TryGetValue(key, out components))
        {
            return (null, failure);
        }

        return components is null ? (null, "productNotFound") : (components, null);
    }

    private static bool IsSelected(JsonNode component, OracleQuestion question)
    {
        var type = (string?)component["componentType"];
        var period = (string?)component["billingPeriodUnit"];
        return (question.Types.Count == 0 || (type is not null && question.Types.Contains(type)))
            && (question.Periods.Count == 0 || (period is not null && question.Periods.Contains(period)));
    }

    private List<JsonObject> Item(JsonObject component, string productId, string country, bool isSkipped, OracleWorld world)
    {
        var id = (string)component["id"]!;
        var sku = id switch { "no-sku" => null, "mapped" => "mapped-sku", _ => id };
        if (isSkipped)
        {
            return [Render(component, productId, sku, new Price("skipped", null, null), null)];
        }

        var candidates = new List<JsonObject>();
        foreach (var price in Look(sku, country, world))
        {
            if (price.Product is null || Flag(price.Product["trial"]) != true)
            {
                candidates.Add(Render(component, productId, sku, price, null));
                continue;
            }

            foreach (var then in Look(Text(price.Product["post_trial_product_id"]), country, world))
            {
                candidates.Add(Render(component, productId, sku, price, then));
            }
        }

        return candidates;
    }

    /// <summary>The truth first; then what may be said instead while the upstream, or this machine, is too slow.</summary>
    private List<Price> Look(string? sku, string country, OracleWorld world)
    {
        if (sku is null)
        {
            return [new Price("notFound", null, null)];
        }

        var isKnown = _prices.TryGetValue((sku, country), out var known);
        var served = world.Prices.TryGetValue((sku, country), out var said) ? said : new Served(200, "[]");
        var (product, failure) = Read(served);
        var late = new Price("unavailable", null, "timeout");
        if (failure is not null)
        {
            return isKnown ? [Known(known)] : [new Price("unavailable", null, failure), late];
        }

        _prices[(sku, country)] = product;
        var live = product is null ? new Price("notFound", null, null) : new Price("live", product, null);
        return isKnown ? [live, Known(known)] : [live, late];
    }

    /// <summary>That there is none has no status of its own for when it is old, but says from when it is.</summary>
    private static Price Known(JsonObject? known) => known is null ? new Price("notFound", null, null, IsOld: true) : new Price("stale", known, null, IsOld: true);

    private static (JsonObject? Product, string? Failure) Read(Served served)
    {
        switch (served.Status)
        {
            case 0:
                return (null, "unreachable");
            case 429:
                return (null, "throttled");
            case not 200:
                return (null, "rejected");
            default:
                break;
        }

        var json = Parse(served.Body!);
        if (json is JsonArray { Count: 0 })
        {
            return (null, null);
        }

        return json is JsonObject product && Minor(product["amount"], Text(product["currency"])) is not null ? (product, null) : (null, "badPayload");
    }

    private static JsonObject Render(JsonObject component, string productId, string? sku, Price price, Price? then)
    {
        var group = (string?)component["componentGroupId"];
        var isOverlaid = group == "overlaid";
        var name = (string?)component["id"] == "no-sku" ? "Free of charge" : isOverlaid ? "Ours" : Text(price.Product?["name"]);
        var rendered = Amount(price.Product?["amount"], price.Product);
        rendered["status"] = price.Status;
        rendered["source"] = "paymentwall";
        rendered["sku"] = sku;
        rendered["period"] = PriceNotes(price.Product);
        rendered["recurring"] = price.Product is null ? null : Flag(price.Product["recurring"]) == true;
        rendered["asOf"] = price.IsOld ? "then" : null;
        rendered["reason"] = price.Reason;
        rendered["trial"] = null;
        if (then is not null)
        {
            var follows = Amount(then.Product?["amount"], then.Product);
            follows["status"] = then.Status;
            follows["sku"] = Text(price.Product!["post_trial_product_id"]);
            follows["period"] = PriceNotes(then.Product);
            follows["recurring"] = then.Product is null ? null : Flag(then.Product["recurring"]) == true;
            follows["asOf"] = then.IsOld ? "then" : null;
            follows["reason"] = then.Reason;
            rendered["trial"] = new JsonObject { ["then"] = follows };
        }

        var compareAt = price.Product is not null && Text(price.Product["old_price"]) is not null ? Amount(price.Product["old_price"], price.Product) : null;
        rendered["compareAt"] = compareAt is not null && (long)compareAt["amountMinor"]! > (long)rendered["amountMinor"]! ? compareAt : null;

        return new JsonObject
        {
            ["id"] = (string?)component["id"],
            ["productId"] = (string?)component["productId"] ?? productId,
            ["groupId"] = group,
            ["type"] = (string?)component["componentType"],
            ["status"] = (string?)component["status"],
            ["name"] = name,
            ["description"] = isOverlaid ? "What it is." : null,
            ["features"] = isOverlaid ? new JsonArray("one", "two & three") : [],
            ["billing"] = Billing(component),
            ["price"] = rendered,
        };
    }

    private static JsonObject Billing(JsonObject component)
    {
        string[] known =
        [
            "id", "productId", "componentGroupId", "componentType", "status", "isUsageBased", "pricingModel", "price", "currency", "tiers",
            "billingPeriodUnit", "trialPeriodValue", "trialPeriodUnit", "freeQuantity", "mandatoryComponentIds",
        ];
        var billing = new JsonObject
        {
            ["pricingModel"] = (string?)component["pricingModel"],
            ["usageBased"] = (bool?)component["isUsageBased"] ?? false,
            ["period"] = Duration((string?)component["billingPeriodUnit"], 1),
            ["trial"] = Duration((string?)component["trialPeriodUnit"], (long?)component["trialPeriodValue"]),
            ["freeQuantity"] = (long?)component["freeQuantity"] ?? 0,
            ["mandatoryComponentIds"] = component["mandatoryComponentIds"]?.DeepClone() ?? new JsonArray(),
            ["tiers"] = Tiers(component),
            ["listPrice"] = ListPrice(component),
        };
        var unknown = component.Where(member => !known.Contains(member.Key)).ToList();
        if (unknown.Count > 0)
        {
            billing["extensions"] = new JsonObject(unknown.Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        }

        return billing;
    }

    /// <summary>Of the two forms that cases have one is the documented one.</summary>
    private static JsonNode Tiers(JsonObject component)
    {
        if (component["tiers"] is not JsonArray tiers || !tiers.All(tier => tier!["starting_unit"] is not null))
        {
            return component["tiers"]?.DeepClone() ?? new JsonArray();
        }

        return new JsonArray([.. tiers.Select(tier => new JsonObject
        {
            ["from"] = (long)tier!["starting_unit"]!,
            ["to"] = (long?)tier["ending_unit"],
            ["unitPrice"] = Listed((long)tier["price"]!, component),
        })]);
    }

    private static JsonObject? ListPrice(JsonObject component) => component["price"] is null ? null : Listed((long)component["price"]!, component);

    private static JsonObject Listed(long minor, JsonObject component)
    {
        // The component's own word, else three capitals between dashes in the id.
        var currency = (string?)component["currency"] ?? ((string)component["id"]!).Split('-').Skip(1).SkipLast(1).FirstOrDefault(part => part.Length == 3 && part.All(char.IsAsciiLetterUpper));
        return new JsonObject
        {
            ["amountMinor"] = minor,
            ["amount"] = currency is null ? null : Decimal(minor, Exponent(currency)!.Value),
            ["currency"] = currency,
            ["exponent"] = currency is null ? null : Exponent(currency),
        };
    }

    private static JsonObject Amount(JsonNode? text, JsonObject? product)
    {
        var currency = Text(product?["currency"]);
        var minor = product is null ? null : Minor(text, currency);
        return new JsonObject
        {
            ["amountMinor"] = minor,
            ["amount"] = minor is null ? null : Decimal(minor.Value, Exponent(currency!)!.Value),
            ["currency"] = currency,
            ["exponent"] = currency is null ? null : Exponent(currency),
        };
    }

    /// <summary>Exact, or null: no sign, no separator, no decimals beyond the currency's but zeros.</summary>
    private static long? Minor(JsonNode? node, string? currency)
    {
        if (Text(node) is not { } text || currency is null || Exponent(currency) is not { } exponent || !text.All(c => char.IsAsciiDigit(c) || c == '.'))
        {
            return null;
        }

        var parts = text.Split('.');
        if (parts.Length > 2 || parts.Any(part => part.Length == 0))
        {
            return null;
        }

        var decimals = parts.Length == 2 ? parts[1] : string.Empty;
        var scaled = BigInteger.Parse(parts[0] + decimals, CultureInfo.InvariantCulture) * BigInteger.Pow(10, exponent);
        var minor = BigInteger.DivRem(scaled, BigInteger.Pow(10, decimals.Length), out var rest);
        return rest.IsZero && minor <= long.MaxValue ? (long)minor : null;
    }

    private static string Decimal(long minor, int exponent)
    {
        var unit = (long)Math.Pow(10, exponent);
        return exponent == 0
            ? minor.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{minor / unit}.{(minor % unit).ToString(CultureInfo.InvariantCulture).PadLeft(exponent, '0')}");
    }

    private static int? Exponent(string currency) => currency switch
    {
        "JPY" => 0,
        "USD" or "EUR" => 2,
        "KWD" => 3,
        _ => null,
    };

    private static JsonObject? PriceNotes(JsonObject? product) => product is null || Text(product["period_type"]) is not { } type
        ? null
        : Duration(type, long.Parse(Text(product["period_length"])!, CultureInfo.InvariantCulture));

    private static JsonObject? Duration(string? unit, long? count) => unit is null || count is null or 0
        ? null
        : new JsonObject { ["unit"] = unit, ["count"] = count, ["iso"] = string.Create(CultureInfo.InvariantCulture, $"P{count}{char.ToUpperInvariant(unit[0])}") };

    /// <summary>Strings may be numbers and numbers strings; an empty string is nothing.</summary>
    private static string? Text(JsonNode? node) => node?.ToString() is { Length: > 0 } text ? text : null;

    private static bool? Flag(JsonNode? node) => Text(node) switch
    {
        "1" or "true" => true,
        "0" or "false" => false,
        _ => null,
    };

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Price(string Status, JsonObject? Product, string? Reason, bool IsOld = false);
}
