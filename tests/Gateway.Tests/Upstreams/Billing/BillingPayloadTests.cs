using System.Text;
using System.Text.Json;
using Gateway.Catalog;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Tests.Catalog;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Upstreams.Billing;

public sealed class BillingPayloadTests
{
    [Fact]
    public void Every_documented_field_is_read()
    {
        var component = ReadOne(
            """
            { "id": "builtfor_example-pro-EUR-monthly", "productId": "builtfor_example", "componentGroupId": "builtfor_example-pro",
              "componentType": "plan", "status": "active", "isUsageBased": true, "pricingModel": "tiered", "price": 1000,
              "currency": "EUR", "tiers": [{ "upTo": 5 }, 7], "billingPeriodUnit": "month", "trialPeriodValue": 10,
              "trialPeriodUnit": "day", "freeQuantity": 3, "mandatoryComponentIds": ["a", "b"] }
            """);

        Assert.Equal("builtfor_example-pro-EUR-monthly", component.Id);
        Assert.Equal("builtfor_example", component.ProductId);
        Assert.Equal("builtfor_example-pro", component.GroupId);
        Assert.Equal("plan", component.Type);
        Assert.Equal("active", component.Status);
        Assert.True(component.UsageBased);
        Assert.Equal("tiered", component.PricingModel);
        Assert.Equal(1000, component.PriceMinor);
        Assert.Equal("EUR", component.Currency);
        Assert.Equal(["""{ "upTo": 5 }""", "7"], component.Tiers.Select(tier => tier.GetRawText()));
        Assert.Equal(new Period("month", 1, "P1M"), component.BillingPeriod);
        Assert.Equal(new Period("day", 10, "P10D"), component.TrialPeriod);
        Assert.Equal(3, component.FreeQuantity);
        Assert.Equal(["a", "b"], component.MandatoryComponentIds);
        Assert.Null(component.Extensions);
    }

    [Theory]
    [InlineData("""{ "id": "a" }""")]
    [InlineData("""
        { "id": "a", "productId": null, "componentGroupId": null, "componentType": null, "status": null, "isUsageBased": null,
          "pricingModel": null, "price": null, "currency": null, "tiers": null, "billingPeriodUnit": null, "trialPeriodValue": null,
          "trialPeriodUnit": null, "freeQuantity": null, "mandatoryComponentIds": null }
        """)]
    public void Absent_fields_and_nulls_are_the_same(string json)
    {
        var component = ReadOne(json);

        Assert.Equal("asked", component.ProductId);
        Assert.Null(component.GroupId);
        Assert.Null(component.Type);
        Assert.Null(component.Status);
        Assert.False(component.UsageBased);
        Assert.Null(component.PricingModel);
        Assert.Null(component.PriceMinor);
        Assert.Null(component.Currency);
        Assert.Empty(component.Tiers);
        Assert.Null(component.BillingPeriod);
        Assert.Null(component.TrialPeriod);
        Assert.Null(component.FreeQuantity);
        Assert.Empty(component.MandatoryComponentIds);
        Assert.Null(component.Extensions);
    }

    [Fact]
    public void Numbers_may_be_strings()
    {
        var component = ReadOne("""{ "id": "a", "price": "1000", "freeQuantity": "3", "trialPeriodValue": "10", "trialPeriodUnit": "day", "isUsageBased": "1" }""");

        Assert.Equal(1000, component.PriceMinor);
        Assert.Equal(3, component.FreeQuantity);
        Assert.Equal(10, component.TrialPeriod?.Count);
        Assert.True(component.UsageBased);
    }

    [Fact]
    public void What_costs_nothing_and_gives_nothing_free_is_a_component_like_any_other()
    {
        var component = ReadOne("""{ "id": "a", "price": 0, "freeQuantity": 0 }""");

        Assert.Equal((0L, 0L), (component.PriceMinor, component.FreeQuantity));
    }

    [Fact]
    public void Components_keep_the_order_they_came_in() =>
        Assert.Equal(["c", "a", "b", "a"], Read("""{"items":[{"id":"c"},{"id":"a"},{"id":"b"},{"id":"a"}],"total":4}""")?.Select(component => component.Id));

    [Fact]
    public void A_product_without_components_is_an_empty_list() => Assert.Empty(Read("""{ "items": [], "total": 0 }""")!);

    [Fact]
    public void Unknown_fields_are_kept_as_they_came_in_ordinal_order_of_their_names()
    {
        var component = ReadOne("""{ "zeta": 1.50, "id": "a", "Alpha": [1, {"x": null}], "beta": "é", "Id": null, "_": {} }""");

        Assert.Equal(
            [("Alpha", """[1, {"x": null}]"""), ("Id", "null"), ("_", "{}"), ("beta", "\"é\""), ("zeta", "1.50")],
            component.Extensions?.Select(pair => (pair.Key, pair.Value.GetRawText())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("1")]
    [InlineData("\"items\"")]
    [InlineData("<html>")]
    [InlineData("{\"items\":[]")]
    [InlineData("{\"items\":[]} trailing")]
    [InlineData("{\"items\":null}")]
    [InlineData("{\"items\":{}}")]
    [InlineData("{\"items\":\"none\"}")]
    [InlineData("{\"Items\":[]}")]
    [InlineData("{\"items\":[null]}")]
    [InlineData("{\"items\":[1]}")]
    [InlineData("{\"items\":[[]]}")]
    [InlineData("{\"items\":[{}]}")]
    [InlineData("{\"items\":[{\"id\":\"a\"},null]}")]
    [InlineData("{\"items\":[{\"id\":\"a\"},{\"name\":\"no id\"}]}")]
    public void A_body_of_another_shape_is_refused_whole(string body) => Assert.Null(Read(body));

    [Theory]
    [InlineData("\"id\": \"\"")]
    [InlineData("\"id\": 1")]
    [InlineData("\"id\": [\"a\"]")]
    [InlineData("\"id\": \"a\", \"price\": -1")]
    [InlineData("\"id\": \"a\", \"price\": \"-1\"")]
    [InlineData("\"id\": \"a\", \"price\": 10.5")]
    [InlineData("\"id\": \"a\", \"price\": \"10.5\"")]
    [InlineData("\"id\": \"a\", \"price\": \"ten\"")]
    [InlineData("\"id\": \"a\", \"price\": [10]")]
    [InlineData("\"id\": \"a\", \"price\": 9223372036854775808")]
    [InlineData("\"id\": \"a\", \"freeQuantity\": -1")]
    [InlineData("\"id\": \"a\", \"isUsageBased\": \"perhaps\"")]
    [InlineData("\"id\": \"a\", \"productId\": {}")]
    [InlineData("\"id\": \"a\", \"tiers\": {}")]
    [InlineData("\"id\": \"a\", \"tiers\": \"none\"")]
    [InlineData("\"id\": \"a\", \"mandatoryComponentIds\": [null]")]
    [InlineData("\"id\": \"a\", \"mandatoryComponentIds\": [1]")]
    [InlineData("\"id\": \"a\", \"mandatoryComponentIds\": \"b\"")]
    [InlineData("\"id\": \"a\", \"billingPeriodUnit\": \"hour\"")]
    [InlineData("\"id\": \"a\", \"billingPeriodUnit\": \"Monthly\"")]
    [InlineData("\"id\": \"a\", \"trialPeriodUnit\": \"day\"")]
    [InlineData("\"id\": \"a\", \"trialPeriodUnit\": \"day\", \"trialPeriodValue\": null")]
    [InlineData("\"id\": \"a\", \"trialPeriodValue\": 10")]
    [InlineData("\"id\": \"a\", \"trialPeriodValue\": 10, \"trialPeriodUnit\": null")]
    [InlineData("\"id\": \"a\", \"trialPeriodValue\": 10, \"trialPeriodUnit\": \"\"")]
    [InlineData("\"id\": \"a\", \"trialPeriodValue\": 10, \"trialPeriodUnit\": \"fortnight\"")]
    [InlineData("\"id\": \"a\", \"trialPeriodValue\": -1, \"trialPeriodUnit\": \"day\"")]
    public void A_wrong_field_makes_the_whole_body_wrong(string fields) => Assert.Null(Read($$"""{"items":[{"id":"fine"},{ {{fields}} }]}"""));

    [Theory]
    [InlineData("\"trialPeriodValue\": 0")]
    [InlineData("\"trialPeriodValue\": 0, \"trialPeriodUnit\": \"day\"")]
    [InlineData("\"trialPeriodValue\": \"\", \"trialPeriodUnit\": \"\"")]
    public void A_trial_of_nothing_is_no_trial(string fields) => Assert.Null(ReadOne($$"""{ "id": "a", {{fields}} }""").TrialPeriod);

    [Theory]
    [InlineData("day", "P1D")]
    [InlineData("week", "P1W")]
    [InlineData("month", "P1M")]
    [InlineData("year", "P1Y")]
    public void Every_billing_period_is_one_unit(string unit, string iso) =>
        Assert.Equal(iso, ReadOne($$"""{ "id": "a", "billingPeriodUnit": "{{unit}}" }""").BillingPeriod?.Iso);

    [Fact]
    public void Text_of_every_script_is_kept() =>
        Assert.Equal("план-日本", ReadOne("""{ "id": "план-\u65e5\u672c" }""").Id);

    [Fact]
    public void What_was_read_does_not_depend_on_the_buffer()
    {
        var body = Encoding.UTF8.GetBytes("""{"items":[{"id":"a","note":{"deep":[1,2]},"tiers":["t"]}]}""");
        var component = Assert.Single(BillingPayload.Read(body, "asked")!);
        Array.Clear(body);

        Assert.Equal("""{"deep":[1,2]}""", component.Extensions?["note"].GetRawText());
        Assert.Equal(JsonValueKind.String, component.Tiers[0].ValueKind);
    }

    private static BillingComponent ReadOne(string item) => Assert.Single(Read($$"""{"items":[{{item}}],"total":1}""") ?? []);

    private static IReadOnlyList<BillingComponent>? Read(string body) => BillingPayload.Read(Encoding.UTF8.GetBytes(body), "asked");

    [Fact]
    public void An_item_whose_id_is_null_makes_the_whole_body_wrong() => Assert.Null(Read("""{"items":[{"id":null}]}"""));

    [Theory]
    [InlineData("\"note\":\"\\ud800\"")]
    [InlineData("\"tiers\":[\"\\ud800\"]")]
    public void What_is_kept_as_it_came_can_always_be_written_again_or_the_body_is_wrong(string field) => ReadAndWrite($$"""{"items":[{"id":"a",{{field}}}]}""");

    [Theory]
    [InlineData("note")]
    [InlineData("tiers")]
    public void What_nests_deeply_can_be_written_again_or_the_body_is_wrong(string field)
    {
        for (var depth = 50; depth < 70; depth++)
        {
            ReadAndWrite($$"""{"items":[{"id":"a","{{field}}":{{new string('[', depth)}}{{new string(']', depth)}}}]}""");
        }
    }

    private static void ReadAndWrite(string body)
    {
        if (Read(body) is { } components)
        {
            var response = CatalogMerge.Merge(
                Given.Request(), [new ProductListing("p", components)], new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal), Given.Rules());
            Assert.NotEmpty(Given.Json(response));
        }
    }
}
