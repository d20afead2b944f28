using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Gateway.Simulator.Billing;

namespace Gateway.Simulator.Paymentwall;

/// <summary>Every SKU; prices are Billing's less one cent, in US dollars, with the special cases laid over.</summary>
internal sealed class PriceList
{
    private const int FirstNumber = 100_001;

    private readonly Dictionary<string, (int Number, PaymentwallProduct Product)> _bySku;

    private PriceList(IEnumerable<PaymentwallProduct> products) => _bySku = products.Index()
        .ToDictionary(p => p.Item.Sku, p => (FirstNumber + p.Index, p.Item), StringComparer.Ordinal);

    public static PriceList Seed(BillingCatalog components) =>
        new(components.All.Where(component => component.HasSku).SelectMany(Specialised));

    /// <summary>Null: no such SKU, or not sold in that country.</summary>
    /// <param name="sku">Exact.</param>
    /// <param name="country">Upper case.</param>
    public byte[]? Find(string sku, string country) =>
        _bySku.TryGetValue(sku, out var entry) && entry.Product.IsSoldIn(country)
            ? entry.Product.ToJson(entry.Number, country)
            : null;

    private static PaymentwallProduct Plain(BillingComponent component)
    {
        var words = component.ComponentGroupId[(component.ProductId.Length + 1)..].Split('-')
            .Select(word => char.ToUpperInvariant(word[0]) + word[1..]);
        return new PaymentwallProduct
        {
            Sku = component.Id,
            Name = string.Join(' ', words),
            UsdCents = component.Price - 1,
            PeriodType = component.BillingPeriodUnit,

            // Paymentwall writes idle decimals for some products; here for those sold by the year.
            IdleDecimals = component.BillingPeriodUnit == "year",
        };
    }

    private static PaymentwallProduct[] Specialised(BillingComponent component)
    {
        var plain = Plain(component);
        var sku = plain.Sku;
        return component.Id[component.ProductId.Length..] switch
        {
            // A trial and what follows it.
            "-starter-EUR-monthly" => [Trial(plain, 99, "1", "week", sku + "-full"), plain with { Sku = sku + "-full" }],

            // old_price as a number.
            "-starter-EUR-yearly" =>
            [
                plain with
                {
                    OldPrice = PaymentwallProduct.OldPriceForm.Number, OldUsdCents = Higher(plain),
                    Extras = Json("""{"show_discount":"1","most_popular":"0","best_value":0,"order":2,"custom_fields":{}}"""),
                },
            ],

            // Everything there, nothing said.
            "-pro-EUR-monthly" =>
            [
                plain with
                {
                    OldPrice = PaymentwallProduct.OldPriceForm.EmptyText,
                    Extras = Json("""
                        {"show_discount":0,"product_description":"","product_pic_url":"","most_popular":1,"best_value":"0",
                         "is_default":1,"order":"3","promotion":"","slug":"","custom_fields":[]}
                        """),
                },
            ],

            // old_price as text.
            "-pro-EUR-yearly" =>
            [
                plain with
                {
                    OldPrice = PaymentwallProduct.OldPriceForm.Text, OldUsdCents = Higher(plain),
                    Extras = Json("""
                        {"show_discount":1,"best_value":"1","promotion":"Two months free","slug":"pro-yearly","order":"4"}
                        """),
                },
            ],

            // A trial whose follower nobody knows, and one that names itself.
            "-advanced-EUR-monthly" => [Trial(plain, 199, "1", "month", sku + "-gone")],
            "-advanced-EUR-yearly" => [Trial(plain, 299, "14", "day", sku)],

            // A trial that leads to a trial.
            "-analytics-EUR-monthly" => Chain(plain with
            {
                Name = "Café Analytics",
                Extras = Json("""
                    {"product_description":"Überblick über Umsätze – 分析",
                     "product_pic_url":"https://cdn.example.com/analytics.png",
                     "most_popular":"1","custom_fields":{"tier":"gold","seats":5}}
                    """),
            }),

            // old_price below the price: no discount at all.
            "-seats-EUR-monthly" =>
            [
                plain with
                {
                    Name = "Extra seat", OldPrice = PaymentwallProduct.OldPriceForm.Text, OldUsdCents = plain.UsdCents / 2,
                    Extras = Json("""{"show_discount":"","is_default":"0","order":7,"custom_fields":[]}"""),
                },
            ],
            "-orders-EUR-monthly" => [plain with { Name = "Order volume" }],
            "-priority-EUR-monthly" =>
            [
                plain with
                {
                    Name = "Priority support", Countries = new HashSet<string>(["US", "FR", "DE"], StringComparer.Ordinal),
                },
            ],
            _ => [plain],
        };
    }

    private static PaymentwallProduct[] Chain(PaymentwallProduct plain)
    {
        var (intro, full) = (plain.Sku + "-intro", plain.Sku + "-full");
        return
        [
            Trial(plain, 49, "7", "day", intro),
            Trial(plain with { Sku = intro }, plain.UsdCents / 2, "1", "month", full),
            plain with { Sku = full },
        ];
    }

    private static PaymentwallProduct Trial(PaymentwallProduct plain, long usdCents, string length, string type, string then) =>
        plain with { UsdCents = usdCents, PeriodLength = length, PeriodType = type, PostTrialSku = then };

    private static long Higher(PaymentwallProduct plain) => ((plain.UsdCents + 1) * 6 / 5) - 1;

    private static JsonElement Json([StringSyntax(StringSyntaxAttribute.Json)] string text) => JsonElement.Parse(text);
}
