using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The main job over real sockets: what a storefront sees.</summary>
[Trait("Redis", "any form")]
public sealed class CatalogTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private GatewayProcess Gateway => stack.Gateway;

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Catalog_prices_every_item_in_yen_without_decimals_or_says_why_not()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&country=JP");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("application/json; charset=utf-8", answer.Headers["Content-Type"]);
        Assert.Equal(14, (int)answer.Json["total"]!);
        Assert.Equal("JP", (string?)answer.Json["context"]!["country"]);
        Assert.Equal("query", (string?)answer.Json["context"]!["countrySource"]);
        foreach (var price in answer.Items.Select(item => item!["price"]!))
        {
            if ((string?)price["status"] == "live")
            {
                Assert.Equal("JPY", (string?)price["currency"]);
                Assert.Equal(0, (int)price["exponent"]!);
                Assert.Equal(price["amountMinor"]!.ToString(), (string?)price["amount"]);
            }
            else
            {
                Assert.Equal("notFound", (string?)price["status"]);
                Assert.Null(price["amount"]);
            }
        }

        Assert.Equal("notFound", (string?)answer.Component("builtfor_example-priority-EUR-monthly")["price"]!["status"]);
        Assert.NotNull(answer.Component("builtfor_example-priority-EUR-monthly")["price"]!["sku"]);
        Assert.Equal("notFound", (string?)answer.Component("builtfor_example-setup-EUR-once")["price"]!["status"]);
        Assert.Null(answer.Component("builtfor_example-setup-EUR-once")["price"]!["sku"]);
        Assert.Equal(12, (int)answer.Json["completeness"]!["priced"]!);
        Assert.Equal(2, (int)answer.Json["completeness"]!["notFound"]!);
        Assert.True((bool)answer.Json["completeness"]!["complete"]!);
    }

    [Fact]
    public async Task A_thousand_items_of_fifty_products_join()
    {
        var products = string.Join(',', Enumerable.Range(0, 50).Select(n => $"bulk_{n:000}"));

        var answer = await Gateway.GetAsync($"/catalog?country=DE&product={products}");

        Assert.Equal(1000, answer.Items.Count);
        Assert.Equal(1000, (int)answer.Json["completeness"]!["priced"]!);
        Assert.Equal(
            answer.Items.Select(item => (string)item!["id"]!).Order(StringComparer.Ordinal),
            answer.Items.Select(item => (string)item!["id"]!));
        Assert.All(answer.Items, item => Assert.Equal((string?)item!["id"], (string?)item["price"]!["sku"]));
    }
}
