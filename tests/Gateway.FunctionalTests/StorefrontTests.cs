using System.Collections.Concurrent;
using Gateway.FunctionalTests.Stack;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Gateway.FunctionalTests;

/// <summary>The sample page in a real browser, on its own origin: what a customer sees of the gateway.</summary>
[Collection(nameof(StorefrontStack))]
public sealed class StorefrontTests(StorefrontStack stack) : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("US", "$9.99 a month", "1 week for $0.99, then $9.99 a month")]
    [InlineData("JP", "¥1,500 a month", "1 week for ¥150, then ¥1,500 a month")]
    [InlineData("DE", "9,49 € a month", "1 week for 0,94 €, then 9,49 € a month")]
    [InlineData("GB", "£7.89 a month", "1 week for £0.78, then £7.89 a month")]
    [InlineData("KW", "KWD 3.070 a month", "1 week for KWD 0.310, then KWD 3.070 a month")]
    public async Task Country_switch_shows_the_prices_of_that_country_in_its_own_format(string country, string price, string trial)
    {
        var page = await OpenAsync("?country=FR");
        await ShowsAsync(page, "France: 3 plans and 6 add-ons, priced in Euro (EUR).");

        await page.GetByLabel("Country").SelectOptionAsync(country);

        await ShowsAsync(page, $"({Currency(country)})");
        await Expect(Plan(page, "Starter").Locator(".price")).ToHaveTextAsync(price);
        await Expect(Plan(page, "Starter").Locator(".trial")).ToHaveTextAsync(trial);
        Assert.Contains("country=" + country, page.Url, StringComparison.Ordinal);
        await Chromium.ScreenshotAsync(page, "storefront-" + country.ToLowerInvariant());

        static string Currency(string country) => country switch { "US" => "USD", "JP" => "JPY", "DE" => "EUR", "GB" => "GBP", _ => "KWD" };
    }

    [Fact]
    public async Task Without_a_country_the_page_shows_which_one_the_gateway_fell_back_to()
    {
        var page = await OpenAsync();

        await ShowsAsync(page, "United States: 3 plans");
        await Expect(page.GetByLabel("Country")).ToHaveValueAsync("US");
    }

    [Fact]
    public async Task Period_switch_shows_yearly_prices_without_asking_again_and_a_reload_keeps_both_switches()
    {
        var page = await OpenAsync("?country=JP");
        await ShowsAsync(page, "Japan: 3 plans");
        var asked = 0;
        page.Request += (_, request) => asked += request.Url.Contains("/catalog", StringComparison.Ordinal) ? 1 : 0;

        await page.GetByLabel("Yearly").CheckAsync();

        var starter = Plan(page, "Starter");
        await Expect(starter.Locator(".price")).ToHaveTextAsync("Old price: ¥18,000. Now: ¥15,000 a year");
        await Expect(starter.Locator("s")).ToHaveTextAsync("¥18,000");
        await Expect(starter).ToContainTextAsync("Save 16%");
        Assert.Equal(0, asked);

        await page.ReloadAsync();

        await ShowsAsync(page, "Japan: 3 plans");
        await Expect(page.GetByLabel("Country")).ToHaveValueAsync("JP");
        await Expect(page.GetByLabel("Yearly")).ToBeCheckedAsync();
        await Expect(Plan(page, "Starter").Locator(".amount")).ToHaveTextAsync("¥15,000");
        await Chromium.ScreenshotAsync(page, "storefront-jp-yearly");
    }

    [Fact]
    public async Task Answer_that_the_browser_has_is_revalidated_and_304()
    {
        var page = await OpenAsync("?country=DE");
        await ShowsAsync(page, "Germany: 3 plans");
        var network = await page.Context.NewCDPSessionAsync(page);
        await network.SendAsync("Network.enable");
        var (asked, notModified) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        network.Event("Network.requestWillBeSent").OnEvent += (_, sent) =>
        {
            var parameters = sent!.Value;
            if (parameters.GetProperty("request").GetProperty("url").GetString()!.Contains("/catalog", StringComparison.Ordinal))
            {
                asked.Add(parameters.GetProperty("requestId").GetString()!);
            }
        };
        network.Event("Network.responseReceivedExtraInfo").OnEvent += (_, received) =>
        {
            var parameters = received!.Value;
            if (parameters.GetProperty("statusCode").GetInt32() == 304)
            {
                notModified.Add(parameters.GetProperty("requestId").GetString()!);
            }
        };

        // While the answer is fresh (1 s here) the browser does not ask at all.
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await page.ReloadAsync();
                await ShowsAsync(page, "Germany: 3 plans");
                return asked.Intersect(notModified, StringComparer.Ordinal).Any();
            },
            TimeSpan.FromSeconds(20));
        await Expect(Plan(page, "Starter").Locator(".amount")).ToHaveTextAsync("9,49 €");
    }

    [Fact]
    public async Task Headers_that_the_gateway_exposes_can_be_read_by_the_page()
    {
        var page = await OpenAsync("?country=FR");
        await ShowsAsync(page, "France: 3 plans");

        await page.GetByText("Where these prices come from").ClickAsync();

        var facts = page.Locator("#answer-facts");
        foreach (var header in new[] { "ETag", "Age", "Cache-Status", "Server-Timing" })
        {
            await Expect(facts.Locator("dt", new LocatorLocatorOptions { HasTextString = header })).ToHaveTextAsync(header);
        }

        await Chromium.ScreenshotAsync(page, "storefront-fr-answer");
    }

    [Fact]
    public async Task Page_of_an_origin_that_is_not_allowed_is_refused_by_the_browser_and_says_so()
    {
        var page = await stack.Browser.NewPageAsync();
        var refusal = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("CORS policy", StringComparison.Ordinal))
            {
                refusal.TrySetResult(message.Text);
            }
        };

        await page.GotoAsync(stack.ForeignPage + "?country=US");

        var alert = page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("The prices could not be loaded.");
        await Expect(alert).ToContainTextAsync($"does not let pages of {stack.ForeignPage.GetLeftPart(UriPartial.Authority)} read its answers");
        await Expect(page.Locator(".card")).ToHaveCountAsync(0);
        Assert.Contains("'Access-Control-Allow-Origin'", await refusal.Task.WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await Chromium.ScreenshotAsync(page, "storefront-refused");
    }

    [Fact]
    public async Task Gateway_that_is_not_there_or_cannot_answer_is_said_plainly_and_can_be_tried_again()
    {
        var address = StorefrontStack.FreeAddress();
        await using var simulator = await SimulatorProcess.StartAsync($"--Simulator:GatewayAddress={address}");
        var page = await stack.Browser.NewPageAsync();
        await page.GotoAsync(simulator.Control + "?country=DE");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync($"The gateway at {address} could not be reached");

        await simulator.FaultAsync("authorization", new { status = 500 });
        await using var gateway = await StorefrontStack.StartGatewayAsync(address, simulator);
        var again = page.GetByRole(AriaRole.Button, new() { Name = "Try again" });
        await again.ClickAsync();

        // Retry-After is one of the headers that the gateway lets pages read.
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("No access token could be obtained.");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("It is worth trying again in ");

        await simulator.ClearFaultsAsync();
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await again.ClickAsync();
                await Expect(page.Locator("main")).ToHaveAttributeAsync("aria-busy", "false");
                return await page.Locator(".card").CountAsync() == 3;
            },
            TimeSpan.FromSeconds(30));
        await ShowsAsync(page, "Germany: 3 plans");
        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Unavailable_price_is_said_plainly_beside_those_that_are_there_and_can_be_tried_again()
    {
        await stack.Simulator.FaultAsync("paymentwall", new { match = "builtfor_example-pro-EUR-monthly", status = 400 });

        var page = await OpenAsync("?country=PL");

        await Expect(page.Locator(".notice")).ToContainTextAsync("Not everything could be loaded just now.");
        await Expect(Plan(page, "Pro").Locator(".no-price")).ToHaveTextAsync("Price not available just now: the price system refused the question.");
        await Expect(Plan(page, "Pro").GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await Expect(Plan(page, "Starter").Locator(".amount")).ToHaveTextAsync("39,46 zł");
        await Chromium.ScreenshotAsync(page, "storefront-unavailable");

        await stack.Simulator.ClearFaultsAsync();
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
                await Expect(page.Locator("main")).ToHaveAttributeAsync("aria-busy", "false");
                return await page.Locator(".notice").CountAsync() == 0;
            },
            TimeSpan.FromSeconds(15));
        await Expect(Plan(page, "Pro").Locator(".amount")).ToHaveTextAsync("39,46 zł");
    }

    [Fact]
    public async Task Unavailable_price_after_a_trial_is_said_plainly_and_nobody_is_asked_to_buy_that()
    {
        await stack.Simulator.FaultAsync("paymentwall", new { match = "builtfor_example-starter-EUR-monthly-full", status = 400 });

        var page = await OpenAsync("?country=US");

        await Expect(Plan(page, "Starter").Locator(".price")).ToHaveTextAsync("$0.99 for 1 week");
        await Expect(Plan(page, "Starter").Locator(".no-price")).ToHaveTextAsync("The price after that is not available just now: the price system refused the question.");
        await Expect(Plan(page, "Starter").GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await Expect(Plan(page, "Advanced").Locator(".no-price")).ToHaveTextAsync("The price after that is not known.");
    }

    [Fact]
    public async Task Price_that_could_not_be_refreshed_is_shown_with_its_age()
    {
        var page = await OpenAsync("?country=US");
        await ShowsAsync(page, "United States: 3 plans");
        await stack.Simulator.FaultAsync("paymentwall", new { match = "builtfor_example-pro-EUR-monthly", status = 400 });

        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await page.ReloadAsync();
                await ShowsAsync(page, "United States: 3 plans");
                return await Plan(page, "Pro").Locator(".stale").CountAsync() == 1;
            },
            TimeSpan.FromSeconds(15));

        await Expect(Plan(page, "Pro").Locator(".amount")).ToHaveTextAsync("$9.99");
        Assert.Matches(@"^Last known price, from \w+ \d+, \d{4}, \d+:\d\d\s[AP]M\. It could not be refreshed since\.$", await Plan(page, "Pro").Locator(".stale").InnerTextAsync());
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Some prices could not be refreshed.");
        await Chromium.ScreenshotAsync(page, "storefront-stale");
    }

    [Fact]
    public async Task Item_that_is_not_sold_in_a_country_and_a_product_that_failed_are_said_plainly()
    {
        var page = await OpenAsync("?country=JP&product=nosuch,builtfor_example");

        await ShowsAsync(page, "Japan: 3 plans");
        await Expect(page.Locator(".notice")).ToContainTextAsync("Missing here: the plans of nosuch.");
        await Expect(page.Locator(".row", new PageLocatorOptions { HasTextString = "Priority" })).ToContainTextAsync("Not sold in your country (Japan).");
    }

    [Fact]
    public async Task Problem_of_the_gateway_is_shown_in_its_own_words()
    {
        var page = await OpenAsync("?country=QQ");

        var alert = page.GetByRole(AriaRole.Alert);
        await Expect(alert).ToContainTextAsync("A parameter is missing or has a value that is not allowed.");
        await Expect(alert).ToContainTextAsync("country has a value that is not allowed.");
        await Expect(alert).ToContainTextAsync("Code invalidParameter, trace ");
        await Chromium.ScreenshotAsync(page, "storefront-problem");
    }

    [Fact]
    public async Task While_the_gateway_is_asked_the_page_says_that_it_is_loading()
    {
        var page = await OpenAsync("?country=US");
        await ShowsAsync(page, "United States: 3 plans");
        await stack.Simulator.FaultAsync("paymentwall", new { match = "country_code=DE", hang = true });

        await page.GetByLabel("Country").SelectOptionAsync("DE");

        await ShowsAsync(page, "Germany: loading prices…");
        await Expect(page.Locator("main")).ToHaveAttributeAsync("aria-busy", "true");
        await stack.Simulator.ClearFaultsAsync();
        await ShowsAsync(page, "Germany: 3 plans");
        await Expect(page.Locator("main")).ToHaveAttributeAsync("aria-busy", "false");
    }

    [Fact]
    public async Task Amount_that_no_javascript_number_holds_is_shown_to_the_last_digit_and_markup_in_a_name_stays_text()
    {
        await stack.Simulator.PriceAsync(
            "builtfor_example-advanced-EUR-monthly",
            """{"object":"product","id":"1","name":"<b onclick=alert(1)>Max</b>","amount":"90071992547409.93","currency":"USD","type":"subscription","period_length":"1","period_type":"month","recurring":"1"}""");

        var page = await OpenAsync("?country=US");

        var plan = page.Locator("[data-id='builtfor_example-advanced-EUR-monthly']");
        await Expect(plan.Locator(".amount")).ToHaveTextAsync("$90,071,992,547,409.93");
        await Expect(plan.Locator("h3")).ToHaveTextAsync("<b onclick=alert(1)>Max</b>");
    }

    [Fact]
    public async Task Page_permits_no_code_but_its_own_and_asks_nobody_but_the_gateway()
    {
        var page = await stack.Browser.NewPageAsync();
        var errors = new ConcurrentBag<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                errors.Add(message.Text);
            }
        };
        var answer = await page.GotoAsync(stack.Page + "?country=US");
        await ShowsAsync(page, "United States: 3 plans");

        Assert.Equal(
            $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' {stack.Gateway.Address.GetLeftPart(UriPartial.Authority)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            await answer!.HeaderValueAsync("content-security-policy"));
        Assert.Empty(errors);
        await page.EvaluateAsync("""
            () => {
              const script = document.createElement('script');
              script.textContent = 'window.foreign = true';
              document.head.append(script);
            }
            """);
        Assert.False(await page.EvaluateAsync<bool>("() => window.foreign === true"));
    }

    private async Task<IPage> OpenAsync(string query = "", int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var page = await stack.Browser.NewPageAsync(width, colors: colors);
        await page.GotoAsync(stack.Page + query);
        return page;
    }

    /// <summary>Waits for the status line.</summary>
    private static Task ShowsAsync(IPage page, string status) => Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync(status);

    private static ILocator Plan(IPage page, string name) =>
        page.Locator(".card").Filter(new LocatorFilterOptions { Has = page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true }) });
}
