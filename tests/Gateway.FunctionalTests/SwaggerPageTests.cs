using System.Collections.Concurrent;
using Gateway.FunctionalTests.Stack;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Gateway.FunctionalTests;

/// <summary>Swagger UI in a real browser: somebody opens it, presses Execute and sees an answer.</summary>
[Collection(nameof(StorefrontStack))]
public sealed class SwaggerPageTests(StorefrontStack stack) : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Catalog_can_be_tried_out_as_the_page_fills_it_in()
    {
        var page = await stack.Browser.NewPageAsync();
        var errors = new ConcurrentBag<string>();
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                errors.Add(message.Text);
            }
        };
        await page.GotoAsync(stack.Gateway.Address.AbsoluteUri);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Aggregation gateway" })).ToBeVisibleAsync();
        await Expect(page.Locator(".opblock")).Not.ToHaveCountAsync(0);
        await Chromium.ScreenshotAsync(page, "swagger-ui");

        var operation = page.Locator("#operations-Catalog-listCatalog");
        await operation.Locator(".opblock-summary-control").ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();

        var answer = operation.Locator(".live-responses-table");
        await Expect(answer.Locator("tbody .response-col_status").First).ToContainTextAsync("200");
        await Expect(answer.Locator("tbody")).ToContainTextAsync("\"country\": \"JP\"");
        await Expect(answer.Locator("tbody")).ToContainTextAsync("\"currency\": \"JPY\"");
        await Chromium.ScreenshotAsync(page, "swagger-ui-executed");
        Assert.Empty(errors);
    }

    /// <summary>Published below a prefix, with the second document and a key.</summary>
    [Fact]
    public async Task A_call_with_a_key_works_below_a_prefix_and_administration_asks_for_the_key()
    {
        await using var gateway = await GatewayProcess.StartAsync(
            stack.Simulator, ("Hosting:PathBase", "/shop-api"), ("Catalog:Products", "builtfor_example"), ("Security:RequireKeyForCatalog", "true"));
        var page = await stack.Browser.NewPageAsync(password: GatewayProcess.AdminKey);
        await page.GotoAsync(new Uri(gateway.Address, "/shop-api/").AbsoluteUri);

        await page.GetByRole(AriaRole.Button, new() { Name = "Authorize" }).First.ClickAsync();
        var dialog = page.Locator(".modal-ux");
        await dialog.GetByRole(AriaRole.Textbox).FillAsync(GatewayProcess.AdminKey);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Apply credentials" }).ClickAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        var operation = page.Locator("#operations-Catalog-listCatalog");
        await operation.Locator(".opblock-summary-control").ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
        await Expect(operation.Locator(".request-url")).ToContainTextAsync("/shop-api/catalog");
        await Expect(operation.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("200");
        await Chromium.ScreenshotAsync(page, "swagger-ui-authorised");

        await page.Locator("#select").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await Expect(page.Locator("#operations-Administration-purgeCache")).ToBeVisibleAsync();
        await Chromium.ScreenshotAsync(page, "swagger-ui-administration");
    }
}
