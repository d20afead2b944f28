using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The main job over real sockets: what a storefront sees.</summary>
public sealed class CatalogTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string ComponentsEndpoint = "GET /v1/products/{productId}/components";

    private GatewayProcess Gateway => stack.Gateway;

    private SimulatorProcess Simulator => stack.Simulator;

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

    [Theory]
    [InlineData("US", 999, "9.99", "USD", 2)]
    [InlineData("fr", 949, "9.49", "EUR", 2)]
    [InlineData("JP", 1500, "1500", "JPY", 0)]
    public async Task Price_is_minor_units_and_a_decimal_string_of_the_currency(string country, int minor, string amount, string currency, int exponent)
    {
        var price = (await Gateway.GetAsync($"/catalog/builtfor_example?country={country}")).Component("builtfor_example-pro-EUR-monthly")["price"]!;

        Assert.Equal((minor, amount, currency, exponent), ((int)price["amountMinor"]!, (string)price["amount"]!, (string)price["currency"]!, (int)price["exponent"]!));
        Assert.Equal("P1M", (string?)price["period"]!["iso"]);
    }

    [Fact]
    public async Task Price_in_dinar_has_three_decimals()
    {
        var price = (await Gateway.GetAsync("/catalog/builtfor_example?country=KW")).Component("builtfor_example-pro-EUR-monthly")["price"]!;

        Assert.Equal("KWD", (string?)price["currency"]);
        Assert.Matches(@"^\d+\.\d{3}$", (string)price["amount"]!);
        Assert.Equal(((string)price["amount"]!).Replace(".", string.Empty, StringComparison.Ordinal).TrimStart('0'), price["amountMinor"]!.ToString());
    }

    [Fact]
    public async Task Sandbox_shows_sandbox_data_by_query_and_by_header_and_the_query_wins()
    {
        var byQuery = await Gateway.GetAsync("/catalog?product=builtfor_example&sandbox=true");
        var byHeader = await Gateway.GetAsync("/catalog?product=builtfor_example", ("sandbox", "true"));
        var both = await Gateway.GetAsync("/catalog?product=builtfor_example&sandbox=false", ("sandbox", "true"));

        Assert.All(byQuery.Items, item => Assert.Contains("-sandbox-", (string)item!["id"]!, StringComparison.Ordinal));
        Assert.Equal(byQuery.Body, byHeader.Body);
        Assert.All(both.Items, item => Assert.DoesNotContain("-sandbox-", (string)item!["id"]!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Products_come_in_the_order_asked_for_and_duplicates_are_dropped()
    {
        var answer = await Gateway.GetAsync("/catalog?product=shipping_example,builtfor_example&product=shipping_example&prices=skip");

        var products = answer.Items.Select(item => (string)item!["productId"]!).Distinct().ToArray();
        Assert.Equal(["shipping_example", "builtfor_example"], products);
        Assert.Equal(28, (int)answer.Json["total"]!);
        Assert.Equal(2, await Simulator.CountAsync("billing", ComponentsEndpoint));
    }

    [Fact]
    public async Task Products_that_fail_make_the_answer_incomplete_and_say_why()
    {
        await Simulator.FaultAsync("billing", new { match = "shipping_example", status = 400 });

        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example,nothing,shipping_example&prices=skip");

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.False((bool)answer.Json["completeness"]!["complete"]!);
        Assert.Equal(
            """[{"productId":"nothing","code":"productNotFound"},{"productId":"shipping_example","code":"upstreamRejected"}]""",
            answer.Json["completeness"]!["failedProducts"]!.ToJsonString());
        Assert.Equal(14, answer.Items.Count);
    }

    [Fact]
    public async Task Type_and_period_filter_in_the_gateway_and_only_what_is_left_is_priced()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&type=plan&period=year,month&period=year");

        Assert.Equal(6, answer.Items.Count);
        Assert.All(answer.Items, item => Assert.Equal("plan", (string?)item!["type"]));
        var asked = (await Simulator.ReceivedAsync("paymentwall")).Select(request => request.Query("ag_external_id")).ToList();
        Assert.DoesNotContain("builtfor_example-seats-EUR-monthly", asked);
        Assert.Null(Assert.Single(await Simulator.ReceivedAsync("billing")).Query("filter_component_type"));
    }

    [Fact]
    public async Task Prices_skip_does_not_call_paymentwall()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&prices=skip");

        Assert.Empty(await Simulator.ReceivedAsync("paymentwall"));
        Assert.All(answer.Items, item => Assert.Equal("skipped", (string?)item!["price"]!["status"]));
        Assert.True((bool)answer.Json["completeness"]!["complete"]!);
    }

    [Fact]
    public async Task Prices_required_accepts_what_is_not_sold_and_refuses_what_is_unavailable()
    {
        Assert.Equal(HttpStatusCode.OK, (await Gateway.GetAsync("/catalog?product=builtfor_example&country=JP&prices=required")).Status);
        await Simulator.FaultAsync("paymentwall", new { match = "monthly-full", status = 400 });
        await Gateway.PurgeAsync();

        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&country=JP&prices=required");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
        Assert.Equal("pricesUnavailable", answer.Code);
        Assert.True(int.Parse(answer.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture) >= 1);
    }

    [Fact]
    public async Task Trial_shows_its_own_price_and_what_follows()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&country=US");

        var starter = answer.Component("builtfor_example-starter-EUR-monthly")["price"]!;
        Assert.Equal(("0.99", "P1W"), ((string)starter["amount"]!, (string)starter["period"]!["iso"]!));
        var then = starter["trial"]!["then"]!;
        Assert.Equal(("live", "9.99", "P1M"), ((string)then["status"]!, (string)then["amount"]!, (string)then["period"]!["iso"]!));
        Assert.Equal("notFound", (string?)answer.Component("builtfor_example-advanced-EUR-monthly")["price"]!["trial"]!["then"]!["status"]);
        var cycle = answer.Component("builtfor_example-advanced-EUR-yearly")["price"]!;
        Assert.Equal((string?)cycle["sku"], (string?)cycle["trial"]!["then"]!["sku"]);
        var chain = answer.Component("builtfor_example-analytics-EUR-monthly")["price"]!;
        Assert.EndsWith("-intro", (string)chain["trial"]!["then"]!["sku"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(
            await Simulator.ReceivedAsync("paymentwall"),
            request => request.Query("ag_external_id") == "builtfor_example-analytics-EUR-monthly-full");
    }

    [Fact]
    public async Task Old_price_is_shown_only_when_it_is_higher()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&country=US");

        var higher = answer.Component("builtfor_example-pro-EUR-yearly")["price"]!;
        Assert.True((int)higher["compareAt"]!["amountMinor"]! > (int)higher["amountMinor"]!);
        Assert.Null(answer.Component("builtfor_example-seats-EUR-monthly")["price"]!["compareAt"]);
        Assert.Null(answer.Component("builtfor_example-pro-EUR-monthly")["price"]!["compareAt"]);
    }

    [Fact]
    public async Task Fields_that_the_gateway_does_not_know_are_kept()
    {
        var answer = await Gateway.GetAsync("/catalog?product=builtfor_example&prices=skip");

        Assert.Equal("A1", (string?)answer.Component("builtfor_example-starter-EUR-yearly")["billing"]!["extensions"]!["legacyCode"]);
        Assert.Null(answer.Component("builtfor_example-pro-EUR-monthly")["billing"]!["extensions"]);
    }

    [Fact]
    public async Task List_price_has_the_currency_that_billing_or_the_id_names_else_none()
    {
        var answer = await Gateway.GetAsync("/catalog?product=reviews_example&prices=skip");

        Assert.Equal("GBP", (string?)answer.Component("reviews_example-badge-monthly")["billing"]!["listPrice"]!["currency"]);
        Assert.Equal("EUR", (string?)answer.Component("reviews_example-pro-EUR-monthly")["billing"]!["listPrice"]!["currency"]);
        var unknown = answer.Component("reviews_example-widget-monthly")["billing"]!["listPrice"]!;
        Assert.NotNull(unknown["amountMinor"]);
        Assert.Null(unknown["amount"]);
        Assert.Null(unknown["currency"]);
    }

    [Fact]
    public async Task Each_distinct_sku_is_asked_once_in_parallel_and_always_with_a_country()
    {
        await Simulator.FaultAsync("paymentwall", new { latencyMs = 50 });

        await Gateway.GetAsync("/catalog?product=builtfor_example");

        var received = await Simulator.ReceivedAsync("paymentwall");
        Assert.All(received, request => Assert.Equal("US", request.Query("country_code")));
        var skus = received.Select(request => request.Query("ag_external_id")).ToList();
        Assert.Equal(skus.Distinct().Count(), skus.Count);
        Assert.True(await Simulator.MostInFlightAsync("paymentwall") > 5);
    }

    [Fact]
    public async Task Calls_in_flight_to_paymentwall_stay_below_their_bound()
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:MaxConcurrency", "3"));
        await Simulator.FaultAsync("paymentwall", new { latencyMs = 30 });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => gateway.GetAsync("/catalog?product=builtfor_example")));

        Assert.Equal(3, await Simulator.MostInFlightAsync("paymentwall"));
    }

    [Fact]
    public async Task Language_and_sandbox_travel_to_billing_as_documented()
    {
        await Gateway.GetAsync("/catalog?product=builtfor_example&lang=FR&sandbox=true&prices=skip");

        var request = Assert.Single(await Simulator.ReceivedAsync("billing"));
        Assert.Equal("fr", request.Query("lang_iso_code"));
        Assert.Equal("active", request.Query("filter_status"));
        Assert.Equal("true", request.Header("sandbox"));
        Assert.Null(request.Header("traceparent"));
    }

    [Fact]
    public async Task Country_comes_from_the_configured_header_where_the_query_does_not_name_it()
    {
        await using var gateway = await stack.StartGatewayAsync(("Catalog:CountryHeader", "CF-IPCountry"));

        var byHeader = await gateway.GetAsync("/catalog/builtfor_example?prices=skip", ("CF-IPCountry", "de"));
        var unknown = await gateway.GetAsync("/catalog/builtfor_example?prices=skip", ("CF-IPCountry", "XX"));
        var byQuery = await gateway.GetAsync("/catalog/builtfor_example?prices=skip&country=jp", ("CF-IPCountry", "DE"));

        Assert.Equal(("DE", "header"), Source(byHeader));
        Assert.Equal(("US", "default"), Source(unknown));
        Assert.Equal(("JP", "query"), Source(byQuery));

        static (string, string) Source(Answer answer) =>
            ((string)answer.Json["context"]!["country"]!, (string)answer.Json["context"]!["countrySource"]!);
    }

    [Fact]
    public async Task Overlay_names_what_the_upstreams_do_not()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Catalog:Overlay:builtfor_example-pro:Name", "Professionnel"),
            ("Catalog:Overlay:builtfor_example-pro:Description", "Für Shops, die wachsen"),
            ("Catalog:Overlay:builtfor_example-pro:Features:0", "3 shops"),
            ("Catalog:Overlay:builtfor_example-pro-EUR-yearly:Name", "Professionnel, à l'année"));

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        Assert.Equal("Professionnel", (string?)answer.Component("builtfor_example-pro-EUR-monthly")["name"]);
        Assert.Equal("Professionnel, à l'année", (string?)answer.Component("builtfor_example-pro-EUR-yearly")["name"]);
        Assert.Equal("Für Shops, die wachsen", (string?)answer.Component("builtfor_example-pro-EUR-yearly")["description"]);
        Assert.Equal("""["3 shops"]""", answer.Component("builtfor_example-pro-EUR-yearly")["features"]!.ToJsonString());
        Assert.Equal("Café Analytics", (string?)answer.Component("builtfor_example-analytics-EUR-monthly")["name"]);
    }

    [Fact]
    public async Task Sku_template_and_map_decide_what_paymentwall_is_asked()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Catalog:SkuTemplate", "{productId}/{groupId}"), ("Catalog:SkuMap:builtfor_example-pro-EUR-monthly", "café & plan+1"));
        await Simulator.PriceAsync("café & plan+1", """{"object":"product","amount":"5.00","currency":"EUR"}""");

        var answer = await gateway.GetAsync("/catalog/builtfor_example?country=FR");

        var mapped = answer.Component("builtfor_example-pro-EUR-monthly")["price"]!;
        Assert.Equal(("live", "café & plan+1", "5.00"), ((string)mapped["status"]!, (string)mapped["sku"]!, (string)mapped["amount"]!));
        Assert.Equal("builtfor_example/builtfor_example-pro", (string?)answer.Component("builtfor_example-pro-EUR-yearly")["price"]!["sku"]);
    }

    [Fact]
    public async Task Signature_version_2_is_accepted_too()
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:SignatureVersion", "2"));

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        Assert.Equal(0, (int)answer.Json["completeness"]!["unavailable"]!);
        Assert.All(await Simulator.ReceivedAsync("paymentwall"), request => Assert.Equal("2", request.Query("sign_version")));
    }

    [Fact]
    public async Task The_same_question_yields_the_same_bytes()
    {
        var first = await Gateway.GetAsync("/catalog?product=builtfor_example,shipping_example&country=GB");
        var second = await Gateway.GetAsync("/catalog?country=gb&product=builtfor_example&product=shipping_example&unknown=1");

        Assert.Equal(first.Body, second.Body);
    }

    [Theory]
    [InlineData("/catalog?product=builtfor_example")]
    [InlineData("/catalog/builtfor_example")]
    public async Task Head_answers_without_a_body(string path)
    {
        var answer = await Gateway.SendAsync(HttpMethod.Head, path);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Empty(answer.Body);
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
