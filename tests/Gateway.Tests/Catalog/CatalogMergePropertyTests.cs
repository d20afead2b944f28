using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Catalog;

/// <summary>The merge against a naive one that was written from the contract alone: for any input both give the same bytes.</summary>
public sealed class CatalogMergePropertyTests
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    private static readonly string[] Skus = ["sku-0", "sku-1", "sku-2", "sku-3", "sku-4", "sku-5", "sku-6", "sku-7"];

    private static readonly UpstreamFailure[] Failures =
    [
        UpstreamFailure.Timeout, UpstreamFailure.Unreachable, UpstreamFailure.Rejected, UpstreamFailure.BadPayload,
        UpstreamFailure.Throttled, UpstreamFailure.CircuitOpen,
    ];

    [Fact]
    public void The_merge_says_what_the_contract_says() =>
        Prop.ForAll(Cases(maxProducts: 4, maxComponents: 6).ToArbitrary(), Agrees).Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    [Fact]
    public void Fifty_products_of_twenty_components_say_what_the_contract_says()
    {
        var many = Cases(maxProducts: 50, maxComponents: 20, exactly: true);
        foreach (var @case in many.Sample(3))
        {
            Assert.Equal(1_000, @case.Listings.Sum(listing => listing.Components.Count));
            Assert.Equal(Expected(@case), Actual(@case));
        }
    }

    [Fact]
    public void The_order_in_which_prices_came_and_settings_were_read_does_not_show() =>
        Prop.ForAll(
                Cases(maxProducts: 3, maxComponents: 4).ToArbitrary(),
                @case => Actual(@case) == Actual(@case with { Prices = Reversed(@case.Prices), SkuMap = Reversed(@case.SkuMap), Overlay = Reversed(@case.Overlay) }))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(100));

    [Fact]
    public void No_item_is_ever_dropped_and_no_amount_is_ever_invented() =>
        Prop.ForAll(Cases(maxProducts: 4, maxComponents: 6).ToArbitrary(), @case =>
            {
                var response = Merge(@case);
                return response.Items.Select(item => item.Id).SequenceEqual(@case.Listings.SelectMany(listing => listing.Components).Select(component => component.Id))
                    && response.Items.All(item => (item.Price.Status == PriceStatus.Live) == (item.Price.Amount is not null))
                    && response.Items.All(item => (item.Price.Status == PriceStatus.Unavailable) == (item.Price.Reason is not null));
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void The_cases_reach_every_kind_of_answer()
    {
        var seen = string.Concat(Cases(maxProducts: 4, maxComponents: 6).Sample(300).Select(Actual));

        string[] kinds =
        [
            "\"status\":\"live\"", "\"status\":\"notFound\"", "\"status\":\"unavailable\"", "\"status\":\"skipped\"", "\"then\":{\"status\":\"live\"",
            "\"then\":{\"status\":\"notFound\",\"sku\":null", "\"then\":{\"status\":\"notFound\",\"sku\":\"", "\"then\":{\"status\":\"unavailable\"",
            "\"compareAt\":{", "\"compareAt\":null", "\"extensions\":{", "\"listPrice\":null", "\"listPrice\":{", "\"currency\":\"JPY\"",
            "\"code\":\"productNotFound\"", "\"complete\":true", "\"complete\":false", "\"sku\":null", "\"countrySource\":\"header\"",
        ];
        Assert.All(kinds, kind => Assert.Contains(kind, seen, StringComparison.Ordinal));
    }

    private static bool Agrees(Case @case)
    {
        var (expected, actual) = (Expected(@case), Actual(@case));
        return expected == actual ? true : throw new InvalidOperationException($"expected\n{expected}\nactual\n{actual}");
    }

    private static Dictionary<string, T> Reversed<T>(Dictionary<string, T> dictionary) => dictionary.Reverse().ToDictionary(StringComparer.Ordinal);

    private static string Actual(Case @case) => Given.Json(Merge(@case));

    private static CatalogResponse Merge(Case @case) => CatalogMerge.Merge(
        @case.Question,
        @case.Listings,
        @case.Prices,
        Given.Rules(options =>
        {
            options.SkuTemplate = @case.Template;
            options.SkuMap = @case.SkuMap;
            options.Overlay = @case.Overlay;
        }));

    /// <summary>The contract, sentence by sentence, with loops.</summary>
    private static string Expected(Case @case)
    {
        var items = new JsonArray();
        var failedProducts = new JsonArray();
        int priced = 0, notFound = 0, unavailable = 0;
        var complete = true;
        foreach (var listing in @case.Listings)
        {
            if (listing.Problem is not null)
            {
                failedProducts.Add(new JsonObject { ["productId"] = listing.ProductId, ["code"] = listing.Problem.Code });
                complete = false;
            }

            foreach (var component in listing.Components)
            {
                // SKU: the map (empty: none), else the template, for which every field that it names must be there.
                string? sku;
                if (@case.SkuMap.ContainsKey(component.Id))
                {
                    sku = @case.SkuMap[component.Id] == string.Empty ? null : @case.SkuMap[component.Id];
                }
                else if (@case.Template.Contains("{groupId}", StringComparison.Ordinal) && component.GroupId is null)
                {
                    sku = null;
                }
                else
                {
                    sku = @case.Template
                        .Replace("{id}", component.Id, StringComparison.Ordinal)
                        .Replace("{groupId}", component.GroupId, StringComparison.Ordinal)
                        .Replace("{productId}", component.ProductId, StringComparison.Ordinal);
                }

                // Name, description, features: the overlay by id, else by group, else (the name) Paymentwall's.
                string? name = null, description = null;
                List<string>? features = null;
                string[] keys = component.GroupId is null ? [component.Id] : [component.GroupId, component.Id];
                foreach (var key in keys)
                {
                    if (@case.Overlay.ContainsKey(key))
                    {
                        name = @case.Overlay[key].Name is null ? name : @case.Overlay[key].Name;
                        description = @case.Overlay[key].Description is null ? description : @case.Overlay[key].Description;
                        features = @case.Overlay[key].Features is null ? features : @case.Overlay[key].Features;
                    }
                }

                var price = new JsonObject { ["status"] = null, ["source"] = "paymentwall", ["sku"] = sku };
                PaymentwallProduct? product = null;
                string? reason = null;
                if (@case.Question.Prices == PriceMode.Skip)
                {
                    price["status"] = "skipped";
                }
                else
                {
                    (var status, product, reason) = Look(@case, sku);
                    price["status"] = status;
                    priced += status == "live" ? 1 : 0;
                    notFound += status == "notFound" ? 1 : 0;
                    unavailable += status == "unavailable" ? 1 : 0;
                    complete = complete && status != "unavailable";
                }

                Put(price, product);
                JsonObject? trial = null;
                if (product is not null && product.IsTrial)
                {
                    var (status, next, nextReason) = Look(@case, product.PostTrialSku);
                    var then = new JsonObject { ["status"] = status, ["sku"] = product.PostTrialSku };
                    Put(then, next);
                    then["asOf"] = null;
                    then["reason"] = nextReason;
                    trial = new JsonObject { ["then"] = then };
                    complete = complete && status != "unavailable";
                }

                price["trial"] = trial;
                price["compareAt"] = product is not null && product.OldPrice is not null && product.OldPrice.Value.AmountMinor > product.Price.AmountMinor
                    ? Amount(product.OldPrice.Value.AmountMinor, product.Price.Currency.Code, product.Price.Currency.Exponent)
                    : null;
                price["asOf"] = null;
                price["reason"] = reason;

                // List price: Billing's own currency, else the one in the id, else none known.
                JsonObject? listPrice = null;
                if (component.PriceMinor is not null)
                {
                    var code = component.Currency;
                    if (code is null)
                    {
                        var parts = component.Id.Split('-');
                        for (var i = 1; i < parts.Length - 1 && code is null; i++)
                        {
                            code = parts[i] is "JPY" or "EUR" or "USD" or "KWD" ? parts[i] : null;
                        }
                    }

                    listPrice = code switch
                    {
                        "JPY" => Amount(component.PriceMinor.Value, code, 0),
                        "EUR" or "USD" => Amount(component.PriceMinor.Value, code, 2),
                        "KWD" => Amount(component.PriceMinor.Value, code, 3),
                        _ => new JsonObject { ["amountMinor"] = component.PriceMinor, ["amount"] = null, ["currency"] = code, ["exponent"] = null },
                    };
                }

                var billing = new JsonObject
                {
                    ["pricingModel"] = component.PricingModel,
                    ["usageBased"] = component.UsageBased,
                    ["period"] = Duration(component.BillingPeriod),
                    ["trial"] = Duration(component.TrialPeriod),
                    ["freeQuantity"] = component.FreeQuantity is null ? 0 : component.FreeQuantity,
                    ["mandatoryComponentIds"] = Texts(component.MandatoryComponentIds),
                    ["tiers"] = new JsonArray([.. component.Tiers.Select(tier => JsonNode.Parse(tier.GetRawText()))]),
                    ["listPrice"] = listPrice,
                };
                if (component.Extensions is not null)
                {
                    var extensions = new JsonObject();
                    foreach (var key in component.Extensions.Keys.Order(StringComparer.Ordinal))
                    {
                        extensions[key] = JsonNode.Parse(component.Extensions[key].GetRawText());
                    }

                    billing["extensions"] = extensions;
                }

                items.Add(new JsonObject
                {
                    ["id"] = component.Id,
                    ["productId"] = component.ProductId,
                    ["groupId"] = component.GroupId,
                    ["type"] = component.Type,
                    ["status"] = component.Status,
                    ["name"] = name is null ? product?.Name : name,
                    ["description"] = description,
                    ["features"] = Texts(features is null ? [] : features),
                    ["billing"] = billing,
                    ["price"] = price,
                });
            }
        }

        var count = items.Count;
        return new JsonObject
        {
            ["context"] = new JsonObject
            {
                ["country"] = @case.Question.Country,
                ["countrySource"] = @case.Question.CountrySource switch { CountrySource.Query => "query", CountrySource.Header => "header", _ => "default" },
                ["lang"] = @case.Question.Language,
                ["sandbox"] = @case.Question.Sandbox,
            },
            ["completeness"] = new JsonObject
            {
                ["complete"] = complete,
                ["components"] = count,
                ["priced"] = priced,
                ["stale"] = 0,
                ["notFound"] = notFound,
                ["unavailable"] = unavailable,
                ["failedProducts"] = failedProducts,
            },
            ["items"] = items,
            ["total"] = count,
        }.ToJsonString(Plain);
    }

    private static (string Status, PaymentwallProduct? Product, string? Reason) Look(Case @case, string? sku)
    {
        if (sku is null)
        {
            return ("notFound", null, null);
        }

        foreach (var (key, result) in @case.Prices)
        {
            if (key == sku && result.Failure is not null)
            {
                var name = result.Failure.Value.ToString();
                return ("unavailable", null, char.ToLowerInvariant(name[0]) + name[1..]);
            }

            if (key == sku)
            {
                result.TryGet(out var product, out _);
                return product is null ? ("notFound", null, null) : ("live", product, null);
            }
        }

        return ("unavailable", null, "timeout");
    }

    private static void Put(JsonObject target, PaymentwallProduct? product)
    {
        if (product is null)
        {
            foreach (var field in new[] { "amountMinor", "amount", "currency", "exponent", "period", "recurring" })
            {
                target[field] = null;
            }

            return;
        }

        foreach (var (field, value) in Amount(product.Price.AmountMinor, product.Price.Currency.Code, product.Price.Currency.Exponent).ToList())
        {
            target[field] = value?.DeepClone();
        }

        target["period"] = Duration(product.Period);
        target["recurring"] = product.Recurring;
    }

    private static JsonObject Amount(long minor, string currency, int exponent)
    {
        var text = new decimal((int)minor, (int)(minor >> 32), 0, isNegative: false, (byte)exponent).ToString(CultureInfo.InvariantCulture);
        return new JsonObject { ["amountMinor"] = minor, ["amount"] = text, ["currency"] = currency, ["exponent"] = exponent };
    }

    private static JsonObject? Duration(Period? period) => period is null
        ? null
        : new JsonObject
        {
            ["unit"] = period.Unit,
            ["count"] = period.Count,
            ["iso"] = "P" + period.Count.ToString(CultureInfo.InvariantCulture) + period.Unit switch { "day" => "D", "week" => "W", "month" => "M", _ => "Y" },
        };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    private static Gen<Case> Cases(int maxProducts, int maxComponents, bool exactly = false)
    {
        var componentCounts = exactly ? Gen.Constant(maxComponents) : Gen.Choose(0, maxComponents);
        var listings =
            from count in exactly ? Gen.Constant(maxProducts) : Gen.Choose(1, maxProducts)
            from lists in Gen.CollectToList(Enumerable.Range(0, count), number => Listing("product-" + number.ToString(CultureInfo.InvariantCulture), componentCounts, mayFail: !exactly))
            select lists;
        return
            from request in Request()
            from lists in listings
            from prices in Gen.CollectToList(Skus, Price)
            from template in Gen.Elements("{id}", "{groupId}", "sku-{groupId}", "{productId}/{id}", "{groupId}{id}{productId}")
            from map in Gen.CollectToList(Ids().Take(8), id => Gen.Elements(["", .. Skus]).OrNull().Select(sku => (id, sku)))
            from overlay in Gen.CollectToList(Ids().Where((_, i) => i % 2 == 0).Concat(["0", "1", "group"]), key => Overlay().OrNull().Select(entry => (key, entry)))
            select new Case(
                request,
                lists,
                prices.Where(pair => pair.Result is not null).ToDictionary(pair => pair.Sku, pair => pair.Result!, StringComparer.Ordinal),
                template,
                map.Where(pair => pair.sku is not null).ToDictionary(pair => pair.id, pair => pair.sku!, StringComparer.Ordinal),
                overlay.Where(pair => pair.entry is not null).ToDictionary(pair => pair.key, pair => pair.entry!, StringComparer.Ordinal));
    }

    private static IEnumerable<string> Ids() =>
        ["a", "b-EUR-month", "c-JPY-year", "d-KWD-x", "e-ZZZ-x", "sku-0", "sku-1", "sku-2", "sku-3", "план-USD-é", "a\"<b>", "f-eur-x", "EUR-x", "g-ABCD-EUR-h"];

    private static Gen<CatalogRequest> Request() =>
        from country in Gen.Elements("US", "JP")
        from source in Gen.Elements(CountrySource.Query, CountrySource.Header, CountrySource.Default)
        from language in Gen.Elements("en", "fr").OrNull()
        from sandbox in Gen.Elements(true, false)
        from prices in Gen.Elements(PriceMode.Prefer, PriceMode.Prefer, PriceMode.Required, PriceMode.Skip)
        select new CatalogRequest { Products = [], Country = country, CountrySource = source, Language = language, Sandbox = sandbox, Prices = prices };

    private static Gen<ProductListing> Listing(string productId, Gen<int> counts, bool mayFail)
    {
        var listed =
            from count in counts
            from components in Component(productId).ListOf(count)
            select new ProductListing(productId, [.. components]);
        var failed = Gen.Elements(Problem.ProductNotFound, Problem.UpstreamTimedOut, Problem.CircuitOpen, Problem.TokenUnavailable)
            .Select(problem => new ProductListing(productId, [], problem));
        return mayFail ? Gen.Frequency((5, listed), (1, failed)) : listed;
    }

    private static Gen<BillingComponent> Component(string productId) =>
        from id in Gen.Elements(Ids().ToArray())
        from groupId in Gen.Elements("group", "0", "1", "2", "sku-4", "sku-5").OrNull()
        from type in Gen.Elements("plan", "addon", "charge").OrNull()
        from status in Gen.Elements("active").OrNull()
        from model in Gen.Elements("flat_fee", "tiered").OrNull()
        from usage in Gen.Elements(true, false)
        from price in Amounts().Select(amount => (long?)amount).Or(Gen.Constant((long?)null))
        from currency in Gen.Elements("USD", "JPY", "KWD", "QQQ").OrNull()
        from billed in Periods().OrNull()
        from trial in Periods().OrNull()
        from free in Gen.Choose(0, 5).Select(number => (long?)number).Or(Gen.Constant((long?)null))
        from mandatory in Gen.Elements(Ids().ToArray()).ListOf(2)
        from tiers in Json().ListOf(2)
        from extensions in Gen.CollectToList(["zeta", "Alpha", "_", "é"], name => Json().Select(json => (name, json)))
        from kept in Gen.Choose(0, 4)
        select new BillingComponent
        {
            Id = id,
            ProductId = productId,
            GroupId = groupId,
            Type = type,
            Status = status,
            PricingModel = model,
            UsageBased = usage,
            PriceMinor = price,
            Currency = currency,
            BillingPeriod = billed,
            TrialPeriod = trial,
            FreeQuantity = free,
            MandatoryComponentIds = [.. mandatory],
            Tiers = [.. tiers],
            Extensions = kept == 0 ? null : new SortedDictionary<string, JsonElement>(extensions.Take(kept).ToDictionary(pair => pair.name, pair => pair.json), StringComparer.Ordinal),
        };

    private static Gen<(string Sku, UpstreamResult<PaymentwallProduct?>? Result)> Price(string sku)
    {
        var found =
            from code in Gen.Elements("USD", "JPY", "KWD")
            from minor in Amounts()
            from old in Amounts().Select(amount => (long?)amount).Or(Gen.Constant((long?)null)).Or(Gen.Constant((long?)minor))
            from name in Gen.Elements("Pro", "Café <b>").OrNull()
            from period in Periods().OrNull()
            from recurring in Gen.Elements(true, false)
            from isTrial in Gen.Elements(true, false)
            from next in Gen.Elements([.. Skus, sku, "unheard-of"]).OrNull()
            let currency = Currency.TryGet(code, out var known) ? known : throw new InvalidOperationException()
            select Given.Found(new PaymentwallProduct
            {
                Name = name,
                Price = new Money(minor, currency),
                OldPrice = old is null ? null : new Money(old.Value, currency),
                Period = period,
                Recurring = recurring,
                IsTrial = isTrial,
                PostTrialSku = next,
            });
        var failed = Gen.Elements(Failures).Select(Given.Failed);
        return Gen.Frequency(
                (6, found.Select(result => (UpstreamResult<PaymentwallProduct?>?)result)),
                (2, failed.Select(result => (UpstreamResult<PaymentwallProduct?>?)result)),
                (1, Gen.Constant((UpstreamResult<PaymentwallProduct?>?)Given.NotFound())),
                (1, Gen.Constant((UpstreamResult<PaymentwallProduct?>?)null)))
            .Select(result => (sku, result));
    }

    private static Gen<CatalogOverlay> Overlay() =>
        from name in Gen.Elements("Ours", "Nôtre").OrNull()
        from description in Gen.Elements("What it is.").OrNull()
        from features in Gen.Elements<List<string>>([], ["one"], ["one", "two & three"]).OrNull()
        select new CatalogOverlay { Name = name, Description = description, Features = features };

    private static Gen<Period> Periods() =>
        from unit in Gen.Elements("day", "week", "month", "year")
        from count in Gen.Choose(1, 36)
        select Given.Period(unit, count);

    private static Gen<long> Amounts() => Gen.OneOf(Gen.Choose(0, 12).Select(number => (long)number), Gen.Choose(0, int.MaxValue).Select(number => number * 1_000L));

    private static Gen<JsonElement> Json() => Gen.Elements("1", "1.50", "null", "true", "\"té<x>t\"", "[]", "{}", """{"b":[1,{"a":null}],"a":"x"}""").Select(Parse);

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private sealed record Case(
        CatalogRequest Question,
        List<ProductListing> Listings,
        Dictionary<string, UpstreamResult<PaymentwallProduct?>> Prices,
        string Template,
        Dictionary<string, string> SkuMap,
        Dictionary<string, CatalogOverlay> Overlay);
}
