using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Gateway.FunctionalTests.Oracle;

/// <summary>Random catalogs and questions. Product ids and SKUs carry the case's number, so that cases can be tried side by side.</summary>
internal static class OracleCases
{
    /// <summary>Of the SKU that all cases have in common, so it never changes.</summary>
    private const string MappedPrice = """{"object":"product","name":"Mapped","amount":"1.5","currency":"EUR"}""";

    private static readonly string[] Countries = ["US", "JP", "FR"];

    private static readonly string[] Endings = ["-EUR-monthly", "-JPY-x", "-KWD-yearly", "-only", ""];

    public static OracleCase Sample(int number, ulong seed) =>
        Case(number).Sample(1, Config.Quick.WithReplay(seed + (ulong)number, 1).Replay.Value.Rnd, 30).Single();

    private static Gen<OracleCase> Case(int number)
    {
        var products = Enumerable.Range(0, 3).Select(index => string.Create(CultureInfo.InvariantCulture, $"o{number}-p{index}")).ToArray();
        return
            from questions in Question(products).ListOf(2)
            from before in World(products)
            from another in World(products)
            from kept in Gen.Choose(0, 99).ListOf(400)
            select new OracleCase(number, [.. questions], before, Mix(before, another, [.. kept]));
    }

    /// <summary>About half of what was said stays.</summary>
    private static OracleWorld Mix(OracleWorld before, OracleWorld another, List<int> chances)
    {
        var chance = 0;
        var products = before.Products.ToDictionary(pair => pair.Key, pair => IsKept(60) ? pair.Value : another.Products[pair.Key]);
        return new OracleWorld(products, before.Prices.ToDictionary(pair => pair.Key, pair => IsKept(45) ? pair.Value : another.Prices[pair.Key]));

        bool IsKept(int percent) => chances[chance++ % chances.Count] < percent;
    }

    private static Gen<OracleQuestion> Question(string[] products) =>
        from many in Gen.Choose(1, 3)
        from order in Gen.Shuffle(products)
        from country in Gen.Elements("US", "JP", "FR", "jp", null)
        from language in Gen.Elements("en", "fr", null)
        from sandbox in Gen.Elements("true", "false", null, null)
        from types in Subset("plan", "addon", "charge")
        from periods in Subset("day", "month", "year")
        from prices in Gen.Elements("prefer", null, null, null, "required", "skip")
        select new OracleQuestion([.. order.Take(many)], country, language, sandbox, types, periods, prices);

    private static Gen<IReadOnlyList<string>> Subset(params string[] of) => Gen.Frequency(
        (3, Gen.Constant((IReadOnlyList<string>)[])),
        (1, Gen.SubListOf(of).Select(list => (IReadOnlyList<string>)[.. list])));

    private static Gen<OracleWorld> World(string[] products)
    {
        var skus = products.SelectMany(Ids).ToArray();
        var keys = skus.SelectMany(sku => Countries.Select(country => (Sku: sku, Country: country))).ToArray();
        return
            from listings in Gen.CollectToArray(products, product => Listing(product, skus))
            from prices in Gen.CollectToArray(keys, key => Price(key.Sku, skus))
            select new OracleWorld(
                products.Zip(listings).ToDictionary(pair => pair.First, pair => pair.Second),
                keys.Zip(prices).Concat(Countries.Select(country => (First: (Sku: "mapped-sku", Country: country), Second: new Served(200, MappedPrice))))
                    .ToDictionary(pair => pair.First, pair => pair.Second));
    }

    private static IEnumerable<string> Ids(string product) =>
        Endings.Select((ending, index) => string.Create(CultureInfo.InvariantCulture, $"{product}-c{index}{ending}"));

    private static Gen<Served> Listing(string product, string[] skus)
    {
        var listed =
            from count in Gen.Choose(0, 5)
            from ids in Gen.Shuffle([.. Ids(product), "no-sku", "mapped"])
            from components in Gen.CollectToArray([.. ids.Take(count)], id => Component(id, product, skus))
            select new Served(200, $$"""{"items":[{{string.Join(',', components)}}],"total":{{count}}}""");
        return Gen.Frequency(
            (20, listed),
            (2, Gen.Constant(Served.NotFound)),
            (1, Gen.Elements(new Served(400), new Served(403), new Served(429))),
            (1, Gen.Elements(new Served(200, "[]"), new Served(200, "<html>"), new Served(200, """{"total":0}"""))),
            (1, Gen.Elements(new Served(500), Served.Cut)));
    }

    private static Gen<string> Component(string id, string product, string[] skus) =>
        from names in Gen.Elements($"\"productId\":\"{product}\"", $"\"productId\":\"{product}\",\"componentGroupId\":\"overlaid\"", "\"componentGroupId\":\"other\"")
        from type in Member("componentType", "\"plan\"", "\"addon\"", "\"charge\"")
        from status in Member("status", "\"active\"")
        from model in Member("pricingModel", "\"flat_fee\"", "\"tiered\"")
        from usage in Member("isUsageBased", "true", "false")
        from price in Gen.OneOf(Gen.Constant(string.Empty), Gen.Choose(0, 10_000_000).Select(minor => string.Create(CultureInfo.InvariantCulture, $",\"price\":{minor}")))
        from currency in Member("currency", "\"USD\"", "\"JPY\"", "\"KWD\"")
        from unit in Member("billingPeriodUnit", "\"day\"", "\"week\"", "\"month\"", "\"year\"")
        from trial in Gen.Elements(string.Empty, ",\"trialPeriodUnit\":\"day\",\"trialPeriodValue\":10", ",\"trialPeriodUnit\":\"month\",\"trialPeriodValue\":1")
        from free in Member("freeQuantity", "0", "3")
        from mandatory in Member("mandatoryComponentIds", "[]", $"[\"{skus[0]}\",\"{skus[1]}\"]")
        from tiers in Member("tiers", "[]", """[{"from":1,"to":null,"price":1.50}]""", """[{"starting_unit":1,"ending_unit":10,"price":500},{"starting_unit":11,"price":400}]""")
        from extra in Member("legacyCode", "\"A1\"", "null", """{"b":[1,{"a":null}],"a":"té<x>t"}""")
        from more in Member("Alpha", "1.50", "true")
        select $$"""{"id":"{{id}}",{{names}}{{type}}{{status}}{{model}}{{usage}}{{price}}{{currency}}{{unit}}{{trial}}{{free}}{{mandatory}}{{tiers}}{{extra}}{{more}}}""";

    private static Gen<string> Member(string name, params string[] values) =>
        Gen.Frequency((1, Gen.Constant(string.Empty)), (3, Gen.Elements(values).Select(value => $",\"{name}\":{value}")));

    private static Gen<Served> Price(string sku, string[] skus)
    {
        var found =
            from code in Gen.Elements("USD", "EUR", "JPY", "KWD")
            from amount in Amount(code)
            from old in Gen.Frequency(
                (2, Gen.Constant(string.Empty)),
                (1, Gen.Constant(",\"old_price\":\"\"")),
                (1, Amount(code).Select(text => $",\"old_price\":\"{text}\"")),
                (1, Amount(code).Select(text => $",\"old_price\":{text}")))
            from name in Member("name", "\"Pro\"", "\"Café <b>\"", "\"\"")
            from period in Gen.Elements(
                string.Empty, ",\"period_length\":\"1\",\"period_type\":\"month\"", ",\"period_length\":14,\"period_type\":\"day\"", ",\"period_length\":\"1\",\"period_type\":\"year\"")
            from recurring in Member("recurring", "\"1\"", "\"0\"", "1")
            from trial in Gen.Frequency(
                (2, Gen.Constant(string.Empty)),
                (1, Gen.Constant(",\"trial\":\"0\"")),
                (2, Gen.Elements([.. skus, sku, "o-gone"]).Select(next => $",\"trial\":\"1\",\"post_trial_product_id\":\"{next}\"")),
                (1, Gen.Constant(",\"trial\":1")))
            from extra in Gen.Elements(string.Empty, ""","show_discount":"1","best_value":0,"custom_fields":{"a":[1]}""")
            select new Served(200, $$"""{"object":"product","amount":"{{amount}}","currency":"{{code}}"{{old}}{{name}}{{period}}{{recurring}}{{trial}}{{extra}}}""");
        return Gen.Frequency(
            (60, found),
            (8, Gen.Constant(new Served(200, "[]"))),
            (6, Gen.Elements(
                """{"object":"product","amount":"1,000","currency":"USD"}""", """{"object":"product","amount":"1.999","currency":"EUR"}""",
                """{"object":"product","amount":"-1","currency":"USD"}""", """{"object":"product","amount":"1","currency":"ZZZ"}""", "{}", "<html>", """{"amount":"1""")
                .Select(body => new Served(200, body))),
            (3, Gen.Elements(400, 403, 429).Select(status => new Served(status))),

            // Few, because they are tried again: the circuit is not to open.
            (1, Gen.Elements(new Served(503), Served.Cut)));
    }

    /// <summary>As the vendor writes amounts: with the currency's decimals, with idle ones, or with none.</summary>
    private static Gen<string> Amount(string code) =>
        from minor in Gen.OneOf(Gen.Choose(0, 12), Gen.Choose(0, 100_000_000))
        from idle in Gen.Elements(string.Empty, string.Empty, "0", "00")
        let decimals = code switch { "JPY" => 0, "KWD" => 3, _ => 2 }
        let digits = minor.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0')
        select decimals == 0
            ? digits + (idle.Length == 0 ? string.Empty : "." + idle)
            : $"{digits[..^decimals]}.{digits[^decimals..]}{idle}";
}
