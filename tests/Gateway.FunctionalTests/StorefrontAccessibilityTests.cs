using System.Text.Json;
using Gateway.FunctionalTests.Stack;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Gateway.FunctionalTests;

/// <summary>The sample page for those who do not use a mouse, a large window or their eyes.</summary>
[Collection(nameof(StorefrontStack))]
public sealed class StorefrontAccessibilityTests(StorefrontStack stack) : IAsyncLifetime
{
    /// <summary>Texts of the page whose contrast with what is behind them is too low, each with the ratio.</summary>
    private const string Contrast = """
        () => {
          const channels = (color) => {
            const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
            return { r, g, b, a };
          };
          const over = (top, under) => ({
            r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1,
          });
          const luminance = ({ r, g, b }) => {
            const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * x + 0.7152 * y + 0.0722 * z;
          };
          const behind = (element) => {
            const layers = [];
            for (let at = element; at; at = at.parentElement) {
              layers.push(channels(getComputedStyle(at).backgroundColor));
            }
            return layers.reduceRight((under, top) => over(top, under), { r: 255, g: 255, b: 255, a: 1 });
          };
          const result = { judged: 0, low: [] };
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const element = texts.currentNode.parentElement;
            if (!texts.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
              continue;
            }
            const under = behind(element);
            const pair = [luminance(over(channels(getComputedStyle(element).color), under)), luminance(under)].sort((a, b) => b - a);
            const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
            result.judged++;
            if (ratio < 4.5) {
              result.low.push(`${ratio.toFixed(2)}: ${texts.currentNode.data.trim()}`);
            }
          }
          return result;
        }
        """;

    private static readonly string[] Named = ["button", "combobox", "radio", "link", "DisclosureTriangle", "dialog", "region"];

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Everything_can_be_done_by_keyboard()
    {
        var page = await OpenAsync("?country=US");

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Skip to the plans" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByLabel("Country")).ToBeFocusedAsync();

        // Type ahead, as with any select; then one further with the arrow.
        await page.Keyboard.TypeAsync("Jap");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Japan: 3 plans");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Kuwait: 3 plans");
        await Expect(page.GetByLabel("Country")).ToBeFocusedAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByLabel("Monthly")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowRight");
        await Expect(page.GetByLabel("Yearly")).ToBeCheckedAsync();
        await Expect(page.Locator(".card").First.Locator(".pace")).ToHaveTextAsync("a year");

        await page.Keyboard.PressAsync("Tab");
        var choose = page.GetByRole(AriaRole.Button, new() { Name = "Choose Starter" });
        await Expect(choose).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Starter" });
        await Expect(dialog).ToContainTextAsync("KWD 30.700 a year");
        await Expect(dialog.Locator("dd").First).ToHaveTextAsync("builtfor_example-starter-EUR-yearly");
        await Chromium.ScreenshotAsync(page, "storefront-dialog", wholePage: false);
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToBeHiddenAsync();
        await Expect(choose).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Focus_can_be_seen_on_every_stop_of_the_keyboard()
    {
        var page = await OpenAsync("?country=US");
        var stops = 0;
        for (var body = false; !body; stops++)
        {
            await page.Keyboard.PressAsync("Tab");
            var outline = await page.EvaluateAsync<string>("""
                () => {
                  const at = document.activeElement;
                  const drawn = at.matches('input[type=radio]') ? at.nextElementSibling : at;
                  return at === document.body ? 'body' : `${getComputedStyle(drawn).outlineStyle} ${at.outerHTML.slice(0, 80)}`;
                }
                """);
            body = outline == "body";
            Assert.True(body || outline.StartsWith("solid", StringComparison.Ordinal), outline);
        }

        // Skip link, country, period, two plans, the details, and out.
        Assert.Equal(7, stops);
    }

    [Fact]
    public async Task Document_has_its_language_title_landmarks_and_headings_in_order()
    {
        var page = await OpenAsync("?country=US");

        Assert.Equal("en", await page.Locator("html").GetAttributeAsync("lang"));
        Assert.Equal("Plans and prices", await page.TitleAsync());
        foreach (var landmark in new[] { AriaRole.Banner, AriaRole.Main, AriaRole.Contentinfo })
        {
            await Expect(page.GetByRole(landmark)).ToHaveCountAsync(1);
        }

        var headings = await page.GetByRole(AriaRole.Heading).EvaluateAllAsync<string[]>("all => all.map(h => h.tagName)");
        Assert.Equal(["H1", "H2", "H3", "H3", "H3", "H2", "H3"], headings[..7]);
        Assert.All(headings[7..], level => Assert.Equal("H3", level));
    }

    [Fact]
    public async Task Every_control_has_a_name_that_a_screen_reader_can_say()
    {
        var page = await OpenAsync("?country=US");
        await page.GetByRole(AriaRole.Button, new() { Name = "Choose Pro" }).ClickAsync();
        var inDialog = await ControlsAsync(page);
        await page.Keyboard.PressAsync("Escape");

        var controls = await ControlsAsync(page);

        Assert.Contains(("button", "Close"), inDialog);
        Assert.Contains(("combobox", "Country"), controls);
        Assert.Contains(("radio", "Yearly"), controls);
        await Expect(page.GetByRole(AriaRole.Group, new() { Name = "Billing period" })).ToBeVisibleAsync();
        Assert.All(controls.Concat(inDialog), control => Assert.True(control.Name.Length > 0, control.Role + " without a name"));
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Every_text_stands_out_from_what_is_behind_it(ColorScheme colors)
    {
        // Once everything that can be said: a fresh, a stale and a missing price; then an error.
        var page = await OpenAsync("?country=CH", colors: colors);
        await stack.Simulator.FaultAsync("paymentwall", new object[]
        {
            new { match = "builtfor_example-pro-EUR-monthly", status = 400 },
            new { match = "builtfor_example-storage-EUR-monthly", status = 400 },
        });
        await stack.Gateway.PurgeAsync("sku=builtfor_example-storage-EUR-monthly&hard=true");
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await page.ReloadAsync();
                await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Switzerland: 3 plans");
                return await page.Locator(".stale").CountAsync() > 0 && await page.Locator(".row .no-price").CountAsync() > 0;
            },
            TimeSpan.FromSeconds(15));
        await page.GetByText("Where these prices come from").ClickAsync();

        await ContrastIsEnoughAsync(page, atLeast: 60);
        await Chromium.ScreenshotAsync(page, colors == ColorScheme.Dark ? "storefront-dark" : "storefront-light");

        await page.GetByRole(AriaRole.Button, new() { Name = "Choose Starter" }).ClickAsync();
        await ContrastIsEnoughAsync(page, atLeast: 60);

        await page.GotoAsync(stack.Page + "?country=QQ");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await ContrastIsEnoughAsync(page, atLeast: 10);
    }

    /// <summary>640 px is what a window of 1280 px has left at 200 % zoom.</summary>
    [Theory]
    [InlineData(320, "US")]
    [InlineData(320, "KW")]
    [InlineData(640, "BR")]
    public async Task Narrow_window_needs_no_sideways_scrolling(int width, string country)
    {
        var page = await OpenAsync($"?country={country}&period=year", width);
        await page.GetByText("Where these prices come from").ClickAsync();

        Assert.Equal(width, await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        await Chromium.ScreenshotAsync(page, $"storefront-{width}px-{country.ToLowerInvariant()}");
    }

    private static async Task ContrastIsEnoughAsync(IPage page, int atLeast)
    {
        var result = await page.EvaluateAsync<JsonElement>(Contrast);
        Assert.Equal([], result.GetProperty("low").EnumerateArray().Select(text => text.GetString()));
        Assert.InRange(result.GetProperty("judged").GetInt32(), atLeast, int.MaxValue);
    }

    /// <summary>Role and accessible name, as the browser tells them to assistive programs.</summary>
    private static async Task<List<(string Role, string Name)>> ControlsAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        var tree = await session.SendAsync("Accessibility.getFullAXTree");
        return [.. tree!.Value.GetProperty("nodes").EnumerateArray()
            .Where(node => !node.GetProperty("ignored").GetBoolean() && node.TryGetProperty("role", out _))
            .Select(node => (
                Role: node.GetProperty("role").GetProperty("value").GetString()!,
                Name: node.TryGetProperty("name", out var name) ? name.GetProperty("value").GetString()! : string.Empty))
            .Where(node => Named.Contains(node.Role, StringComparer.Ordinal))];
    }

    private async Task<IPage> OpenAsync(string query, int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var page = await stack.Browser.NewPageAsync(width, colors: colors);
        await page.GotoAsync(stack.Page + query);
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("3 plans");
        return page;
    }
}
