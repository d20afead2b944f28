using System.Globalization;

namespace Gateway.Simulator.Billing;

/// <summary>The seed: three hand-made products, fifty generated for load, and a smaller, plainly different sandbox.</summary>
internal sealed class BillingCatalog
{
    public const int BulkProducts = 50;
    public const int BulkComponents = 20;

    private readonly Dictionary<string, BillingComponent[]> _live;
    private readonly Dictionary<string, BillingComponent[]> _sandbox;

    private BillingCatalog(IEnumerable<BillingComponent> live, IEnumerable<BillingComponent> sandbox)
    {
        _live = live.GroupBy(c => c.ProductId).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        _sandbox = sandbox.GroupBy(c => c.ProductId).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
    }

    public static BillingCatalog Seed() => new(
        [
            .. Product("builtfor_example", percent: 100, pooled: "tiered"),
            .. Product("shipping_example", percent: 150, pooled: "volume"),
            .. Product("reviews_example", percent: 60, pooled: "tiered"),
            .. ReviewsExtras("reviews_example"),
            .. Enumerable.Range(0, BulkProducts).SelectMany(Bulk),
        ],
        [.. Sandbox("builtfor_example", percent: 100), .. Sandbox("shipping_example", percent: 150)]);

    /// <summary>Every component, live and sandbox.</summary>
    public IEnumerable<BillingComponent> All => _live.Values.Concat(_sandbox.Values).SelectMany(c => c);

    /// <summary>Null: no such product there.</summary>
    public IReadOnlyList<BillingComponent>? Find(string productId, bool sandbox) =>
        (sandbox ? _sandbox : _live).GetValueOrDefault(productId);

    private static IEnumerable<BillingComponent> Product(string product, int percent, string pooled)
    {
        BillingComponent Component(string group, string period, string type, int price) => new()
        {
            Id = $"{product}-{group}-EUR-{period}",
            ProductId = product,
            ComponentGroupId = $"{product}-{group}",
            ComponentType = type,
            Price = price * percent / 100,
            BillingPeriodUnit = period switch { "weekly" => "week", "monthly" => "month", "yearly" => "year", _ => null },
        };
        BillingTier[] Tiers(params (int From, int? To, int Price)[] tiers) =>
            [.. tiers.Select(t => new BillingTier(t.From, t.To, t.Price * percent / 100))];

        var pro = $"{product}-pro-EUR-monthly";
        return
        [
            Component("starter", "monthly", "plan", 1000) with { TrialPeriodValue = 1, TrialPeriodUnit = "week" },
            Component("starter", "yearly", "plan", 10000) with { LegacyCode = "A1" },
            Component("pro", "monthly", "plan", 1000) with { TrialPeriodValue = 10, TrialPeriodUnit = "day" },
            Component("pro", "yearly", "plan", 10800),
            Component("advanced", "monthly", "plan", 2500) with { TrialPeriodValue = 1, TrialPeriodUnit = "month" },
            Component("advanced", "yearly", "plan", 25000) with
            {
                TrialPeriodValue = 14, TrialPeriodUnit = "day", LegacyCode = "B7",
            },
            Component("analytics", "monthly", "addon", 500) with
            {
                TrialPeriodValue = 7, TrialPeriodUnit = "day", MandatoryComponentIds = [pro],
            },
            Component("seats", "monthly", "addon", 300) with
            {
                PricingModel = "per_unit", FreeQuantity = 3, MandatoryComponentIds = [pro],
            },
            Component("orders", "monthly", "addon", 1900) with
            {
                PricingModel = "stairstep", IsUsageBased = true, FreeQuantity = 100,
                Tiers = Tiers((1, 1000, 1900), (1001, 5000, 4900), (5001, null, 9900)),
            },
            Component("storage", "monthly", "addon", 50) with
            {
                PricingModel = pooled, IsUsageBased = true, Tiers = Tiers((1, 10, 50), (11, 100, 40), (101, null, 30)),
            },
            Component("support", "weekly", "addon", 250) with { Currency = "EUR" },
            Component("priority", "monthly", "addon", 1500),
            Component("training", "once", "charge", 4900),
            Component("setup", "once", "charge", 9900) with { HasSku = false },
            Component("legacy", "monthly", "plan", 700) with { Status = "archived" },
        ];
    }

    /// <summary>A price whose currency nobody says, and one whose item says another than its id could.</summary>
    private static IEnumerable<BillingComponent> ReviewsExtras(string product)
    {
        var widget = new BillingComponent
        {
            Id = $"{product}-widget-monthly",
            ProductId = product,
            ComponentGroupId = $"{product}-widget",
            ComponentType = "addon",
            Price = 200,
            BillingPeriodUnit = "month",
        };
        var badge = widget with
        {
            Id = $"{product}-badge-monthly",
            ComponentGroupId = $"{product}-badge",
            Price = 120,
            Currency = "GBP",
        };
        return [widget, badge];
    }

    private static IEnumerable<BillingComponent> Bulk(int number)
    {
        var product = string.Create(CultureInfo.InvariantCulture, $"bulk_{number:000}");
        return Enumerable.Range(0, BulkComponents).Select(i =>
        {
            var group = string.Create(CultureInfo.InvariantCulture, $"{product}-item{i:00}");
            var monthly = i % 2 == 0;
            return new BillingComponent
            {
                Id = $"{group}-EUR-{(monthly ? "monthly" : "yearly")}",
                ProductId = product,
                ComponentGroupId = group,
                ComponentType = i < 12 ? "plan" : "addon",
                Price = (monthly ? 1 : 10) * (500 + (10 * number) + (100 * i)),
                BillingPeriodUnit = monthly ? "month" : "year",
            };
        });
    }

    private static IEnumerable<BillingComponent> Sandbox(string product, int percent)
    {
        BillingComponent Component(string group, string period, string type, int price) => new()
        {
            Id = $"{product}-sandbox-{group}-EUR-{period}",
            ProductId = product,
            ComponentGroupId = $"{product}-sandbox-{group}",
            ComponentType = type,
            Price = price * percent / 100,
            BillingPeriodUnit = period == "yearly" ? "year" : "month",
        };
        return
        [
            Component("starter", "monthly", "plan", 100),
            Component("pro", "monthly", "plan", 200) with { TrialPeriodValue = 1, TrialPeriodUnit = "day" },
            Component("pro", "yearly", "plan", 2000),
            Component("seats", "monthly", "addon", 50) with { PricingModel = "per_unit", FreeQuantity = 1 },
        ];
    }
}
