using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Two systems that disagree about money is something only this gateway can see.</summary>
public sealed class PriceDriftTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Prices_that_differ_in_one_currency_and_period_are_listed_and_logged_once_per_change()
    {
        await using var gateway = await stack.StartGatewayAsync(("Redis:ConnectionString", string.Empty), ("Catalog:SkuMap:drift-none-EUR-monthly", string.Empty));
        await stack.Simulator.ComponentsAsync("drift", """
            {"items":[
              {"id":"drift-same-EUR-monthly","price":1000,"billingPeriodUnit":"month"},
              {"id":"drift-less-EUR-monthly","price":1000,"billingPeriodUnit":"month"},
              {"id":"drift-year-EUR-yearly","price":1000,"billingPeriodUnit":"year"},
              {"id":"drift-money-GBP-monthly","price":1000,"billingPeriodUnit":"month"},
              {"id":"drift-none-EUR-monthly","price":1000,"billingPeriodUnit":"month"},
              {"id":"drift-gone-EUR-monthly","price":1000,"billingPeriodUnit":"month"}
            ]}
            """);
        await stack.Simulator.PriceAsync("drift-same-EUR-monthly", Monthly("10.00"));
        await stack.Simulator.PriceAsync("drift-less-EUR-monthly", Monthly("9.99"));
        await stack.Simulator.PriceAsync("drift-year-EUR-yearly", Monthly("9.99"));
        await stack.Simulator.PriceAsync("drift-money-GBP-monthly", Monthly("9.99"));
        await stack.Simulator.PriceAsync("drift-gone-EUR-monthly", "[]");

        var report = await ReportAsync(gateway);

        var drift = Assert.Single(report["drift"]!.AsArray())!;
        Assert.Equal(
            ("drift-less-EUR-monthly", "FR", "EUR", "P1M", "10.00", 1000, "9.99", 999),
            ((string)drift["id"]!, (string)drift["country"]!, (string)drift["currency"]!, (string)drift["period"]!, (string)drift["listAmount"]!,
                (int)drift["listAmountMinor"]!, (string)drift["priceAmount"]!, (int)drift["priceAmountMinor"]!));
        Assert.Equal("drift-none-EUR-monthly", (string?)Assert.Single(report["withoutSku"]!.AsArray())!["id"]);
        var gone = Assert.Single(report["notFound"]!.AsArray())!;
        Assert.Equal(("drift-gone-EUR-monthly", "FR"), ((string)gone["sku"]!, (string)gone["country"]!));

        // Asked again nothing is said again; another difference is; agreement takes it off the list.
        await ReportAsync(gateway);
        await stack.Simulator.PriceAsync("drift-less-EUR-monthly", Monthly("8.88"));
        Assert.Equal("8.88", (string?)Assert.Single((await ReportAsync(gateway))["drift"]!.AsArray())!["priceAmount"]);
        await stack.Simulator.PriceAsync("drift-less-EUR-monthly", Monthly("10.00"));
        Assert.Empty((await ReportAsync(gateway))["drift"]!.AsArray());
        await gateway.LogLineAsync("\"Id\":4102");
        Assert.Equal(2, gateway.Log.Split('\n').Count(line => line.Contains("\"Id\":4101", StringComparison.Ordinal)));
        Assert.Equal(1, gateway.Log.Split('\n').Count(line => line.Contains("\"Id\":4102", StringComparison.Ordinal)));
    }

    private static string Monthly(string amount) =>
        $$"""{"object":"product","amount":"{{amount}}","currency":"EUR","period_length":"1","period_type":"month","recurring":"1"}""";

    private static async Task<JsonNode> ReportAsync(GatewayProcess gateway)
    {
        await gateway.PurgeAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/catalog/drift?country=FR")).Status);
        return (await gateway.GetAsync("/admin/price-drift", ("X-Api-Key", GatewayProcess.AdminKey))).Json;
    }
}
