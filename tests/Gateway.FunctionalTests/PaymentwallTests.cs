using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Each form of a Paymentwall answer and each fault, seen through one item's price.</summary>
public sealed class PaymentwallTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Sku = "builtfor_example-pro-EUR-monthly";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("""{"object":"product","id":"product_1","name":"P","amount":"9.99","currency":"USD"}""", "live", "9.99")]
    [InlineData("""{"object":"product","amount":9.90,"currency":"USD","recurring":1,"period_length":1,"period_type":"month"}""", "live", "9.90")]
    [InlineData("""{"object":"product","amount":"1500.00","currency":"JPY"}""", "live", "1500")]
    [InlineData("""{"object":"product","amount":"12.5","currency":"KWD"}""", "live", "12.500")]
    [InlineData("""{"object":"product","amount":"0","currency":"USD","old_price":"","show_discount":0,"custom_fields":[]}""", "live", "0.00")]
    [InlineData("[]", "notFound", null)]
    [InlineData(" [ ] ", "notFound", null)]
    [InlineData("[1]", "badPayload", null)]
    [InlineData("{}", "badPayload", null)]
    [InlineData("null", "badPayload", null)]
    [InlineData("", "badPayload", null)]
    [InlineData("""{"object":"product","amount":"1.999","currency":"USD"}""", "badPayload", null)]
    [InlineData("""{"object":"product","amount":"1,999.00","currency":"USD"}""", "badPayload", null)]
    [InlineData("""{"object":"product","amount":"-1","currency":"USD"}""", "badPayload", null)]
    [InlineData("""{"object":"product","amount":1e3,"currency":"USD"}""", "badPayload", null)]
    [InlineData("""{"object":"product","amount":"5","currency":"ZZZ"}""", "badPayload", null)]
    [InlineData("""{"object":"product","amount":"5","currency":"USD","period_length":"1","period_type":"decade"}""", "badPayload", null)]
    [InlineData("""{"type":"Error","object":"Error","error":"Invalid signature","code":1}""", "badPayload", null)]
    [InlineData("fn({});", "badPayload", null)]
    public async Task Answer_is_read_whole_or_not_at_all(string body, string expected, string? amount)
    {
        await stack.Simulator.PriceAsync(Sku, body);

        var price = await PriceAsync(stack.Gateway);

        Assert.Equal(expected, (string?)price["reason"] ?? (string?)price["status"]);
        Assert.Equal(amount, (string?)price["amount"]);
        Assert.Equal(amount is null, price["currency"] is null);
    }

    [Theory]
    [InlineData("""{"status":500}""", "rejected")]
    [InlineData("""{"status":403}""", "rejected")]
    [InlineData("""{"status":302,"headers":{"Location":"http://127.0.0.1/"}}""", "rejected")]
    [InlineData("""{"status":429,"retryAfter":"60"}""", "throttled")]
    [InlineData("""{"drop":true}""", "unreachable")]
    [InlineData("""{"truncate":true}""", "unreachable")]
    [InlineData("""{"hang":true}""", "timeout")]
    [InlineData("""{"latencyMs":1200,"jitterMs":50}""", "timeout")]
    [InlineData("""{"body":"<html></html>","contentType":"text/html"}""", "badPayload")]
    public async Task Fault_costs_one_price_and_says_why(string fault, string reason)
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:AttemptTimeout", "00:00:00.5"), ("Paymentwall:Timeout", "00:00:01"));
        var withMatch = JsonNode.Parse(fault)!;
        withMatch["match"] = Sku;
        await stack.Simulator.FaultAsync("paymentwall", withMatch);

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        var price = answer.Component(Sku)["price"]!;
        Assert.Equal(("unavailable", reason), ((string)price["status"]!, (string)price["reason"]!));
        Assert.Equal(Sku, (string?)price["sku"]);
        Assert.Equal(1, (int)answer.Json["completeness"]!["unavailable"]!);
        Assert.Equal(14, answer.Items.Count);
    }

    [Fact]
    public async Task Wrong_content_type_does_not_matter_where_the_body_is_right()
    {
        await stack.Simulator.FaultAsync("paymentwall", new { match = Sku, contentType = "text/html" });

        Assert.Equal("live", (string?)(await PriceAsync(stack.Gateway))["status"]);
    }

    [Theory]
    [InlineData("""{"status":503,"times":1}""")]
    [InlineData("""{"status":503,"retryAfter":"1","times":1}""")]
    [InlineData("""{"status":429,"retryAfter":"1","times":1}""")]
    [InlineData("""{"drop":true,"times":2}""")]
    public async Task Passing_fault_is_retried(string fault)
    {
        await using var gateway = await stack.StartGatewayAsync();
        var withMatch = JsonNode.Parse(fault)!;
        withMatch["match"] = Sku;
        await stack.Simulator.FaultAsync("paymentwall", withMatch);

        Assert.Equal("live", (string?)(await PriceAsync(gateway))["status"]);
    }

    [Fact]
    public async Task Wrong_secret_is_rejected_for_every_item_and_the_components_still_come()
    {
        await using var gateway = await stack.StartGatewayAsync(("Paymentwall:SecretKey", "not it"));

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        Assert.Equal(13, (int)answer.Json["completeness"]!["unavailable"]!);
        Assert.Equal(14, answer.Items.Count);
    }

    private static async Task<JsonNode> PriceAsync(GatewayProcess gateway) =>
        (await gateway.GetAsync("/catalog/builtfor_example")).Component(Sku)["price"]!;
}
