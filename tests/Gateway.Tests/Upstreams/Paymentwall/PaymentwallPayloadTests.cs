using System.Text;
using Gateway.Iso;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Upstreams.Paymentwall;

public sealed class PaymentwallPayloadTests
{
    [Fact]
    public void A_product_is_read()
    {
        var product = Found("""{"object":"product","id":"product_100244","name":"Premium Access","amount":"9.99","currency":"USD"}""");

        Assert.Equal("Premium Access", product.Name);
        Assert.Equal("9.99", product.Price.Amount);
        Assert.Equal(new Currency("USD", 2), product.Price.Currency);
        Assert.Null(product.Period);
        Assert.False(product.Recurring);
        Assert.False(product.IsTrial);
        Assert.Null(product.PostTrialSku);
        Assert.Null(product.OldPrice);
    }

    [Theory]
    [InlineData("""
        {"object":"product","id":"p","name":"Premium","amount":"0.99","currency":"USD","period_length":"3","period_type":"day",
         "recurring":"1","trial":"1","post_trial_product_id":"100245","old_price":"1.99"}
        """)]
    [InlineData("""
        {"object":"product","id":7,"name":"Premium","amount":0.99,"currency":"USD","period_length":3,"period_type":"day",
         "recurring":1,"trial":true,"post_trial_product_id":100245,"old_price":1.99}
        """)]
    public void A_subscription_in_a_trial_is_read_whichever_way_it_is_spelt(string body)
    {
        var product = Found(body);

        Assert.Equal(99, product.Price.AmountMinor);
        Assert.Equal(new Period("day", 3, "P3D"), product.Period);
        Assert.True(product.Recurring);
        Assert.True(product.IsTrial);
        Assert.Equal("100245", product.PostTrialSku);
        Assert.Equal(199, product.OldPrice?.AmountMinor);
        Assert.Equal("USD", product.OldPrice?.Currency.Code);
    }

    [Fact]
    public void What_newer_answers_carry_beside_is_ignored()
    {
        var product = Found(
            """
            {"object":"product","id":"p","name":"P","amount":"9.99","currency":"USD","type":"fixed","show_discount":0,"product_description":"",
             "product_pic_url":null,"most_popular":"1","best_value":1,"is_default":"","order":3,"promotion":[],"slug":"s","custom_fields":{"a":[1]}}
            """);

        Assert.Equal(999, product.Price.AmountMinor);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData(" [ ] ")]
    [InlineData("[\n]\n")]
    public void An_empty_array_means_not_found(string body)
    {
        Assert.True(PaymentwallPayload.TryRead(Encoding.UTF8.GetBytes(body), out var product));
        Assert.Null(product);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[null]")]
    [InlineData("[[]]")]
    [InlineData("[{}]")]
    [InlineData("[] []")]
    [InlineData("[] x")]
    [InlineData("[")]
    [InlineData("fn([]);")]
    [InlineData("<html></html>")]
    [InlineData("1")]
    [InlineData("\"product\"")]
    [InlineData("{\"amount\":\"9.99\",\"currency\":\"USD\"")]
    [InlineData("{\"amount\":\"9.99\",\"currency\":\"USD\"} x")]
    [InlineData("[{\"object\":\"product\",\"amount\":\"9.99\",\"currency\":\"USD\"}]")]
    [InlineData("{\"type\":\"Error\",\"object\":\"Error\",\"error\":\"Invalid signature\",\"code\":1}")]
    public void A_body_of_another_shape_is_refused(string body) => Refused(body);

    [Theory]
    [InlineData("\"9.99\"", "USD", 999)]
    [InlineData("9.99", "USD", 999)]
    [InlineData("\"9.9\"", "USD", 990)]
    [InlineData("10", "USD", 1000)]
    [InlineData("\"0\"", "USD", 0)]
    [InlineData("\"1500.00\"", "JPY", 1500)]
    [InlineData("1500.0", "JPY", 1500)]
    [InlineData("\"3.250\"", "KWD", 3250)]
    [InlineData("\"13000.000\"", "IQD", 13000000)]
    public void An_amount_is_money_of_its_currency(string amount, string currency, long minor) =>
        Assert.Equal(minor, Found($$"""{"amount":{{amount}},"currency":"{{currency}}"}""").Price.AmountMinor);

    [Theory]
    [InlineData("null", "USD")]
    [InlineData("\"\"", "USD")]
    [InlineData("\"-9.99\"", "USD")]
    [InlineData("-9.99", "USD")]
    [InlineData("\"+9.99\"", "USD")]
    [InlineData("\"9.999\"", "USD")]
    [InlineData("9.999", "USD")]
    [InlineData("1e1", "USD")]
    [InlineData("\"1e1\"", "USD")]
    [InlineData("\"1,000.00\"", "USD")]
    [InlineData("\"9,99\"", "USD")]
    [InlineData("\" 9.99\"", "USD")]
    [InlineData("\"free\"", "USD")]
    [InlineData("true", "USD")]
    [InlineData("[]", "USD")]
    [InlineData("{}", "USD")]
    [InlineData("\"1500.50\"", "JPY")]
    [InlineData("\"99999999999999999999\"", "USD")]
    public void An_amount_that_is_not_plain_money_is_refused(string amount, string currency) =>
        Refused($$"""{"amount":{{amount}},"currency":"{{currency}}"}""");

    [Theory]
    [InlineData("\"XXX\"")]
    [InlineData("\"XAU\"")]
    [InlineData("\"ABC\"")]
    [InlineData("\"US\"")]
    [InlineData("\"\"")]
    [InlineData("\"$\"")]
    [InlineData("null")]
    [InlineData("840")]
    public void An_unknown_currency_is_refused(string currency) => Refused($$"""{"amount":"9.99","currency":{{currency}}}""");

    [Fact]
    public void An_amount_without_a_currency_is_refused() => Refused("""{"amount":"9.99"}""");

    [Theory]
    [InlineData("\"\"", null)]
    [InlineData("null", null)]
    [InlineData("0", null)]
    [InlineData("\"0\"", null)]
    [InlineData("\"0.00\"", null)]
    [InlineData("19.99", 1999L)]
    [InlineData("\"19.99\"", 1999L)]
    [InlineData("20", 2000L)]
    public void An_old_price_is_money_or_nothing(string oldPrice, long? minor) =>
        Assert.Equal(minor, Found($$"""{"amount":"9.99","currency":"USD","old_price":{{oldPrice}}}""").OldPrice?.AmountMinor);

    [Theory]
    [InlineData("\"garbage\"")]
    [InlineData("\"-1\"")]
    [InlineData("\"19.999\"")]
    [InlineData("false")]
    [InlineData("[]")]
    public void A_garbled_old_price_is_refused(string oldPrice) => Refused($$"""{"amount":"9.99","currency":"USD","old_price":{{oldPrice}}}""");

    [Theory]
    [InlineData("\"1\"", true)]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("\"true\"", true)]
    [InlineData("\"0\"", false)]
    [InlineData("0", false)]
    [InlineData("false", false)]
    [InlineData("\"\"", false)]
    [InlineData("null", false)]
    public void Recurring_and_trial_have_many_spellings(string flag, bool expected)
    {
        var product = Found($$"""{"amount":"9.99","currency":"USD","recurring":{{flag}},"trial":{{flag}}}""");

        Assert.Equal(expected, product.Recurring);
        Assert.Equal(expected, product.IsTrial);
    }

    [Theory]
    [InlineData("\"recurring\":\"yes\"")]
    [InlineData("\"recurring\":2")]
    [InlineData("\"trial\":[]")]
    [InlineData("\"period_length\":\"3\"")]
    [InlineData("\"period_type\":\"day\"")]
    [InlineData("\"period_length\":\"-1\",\"period_type\":\"day\"")]
    [InlineData("\"period_length\":1.5,\"period_type\":\"day\"")]
    [InlineData("\"period_length\":\"1\",\"period_type\":\"hour\"")]
    [InlineData("\"period_length\":[],\"period_type\":\"day\"")]
    [InlineData("\"object\":\"error\"")]
    [InlineData("\"name\":{}")]
    [InlineData("\"post_trial_product_id\":{}")]
    public void A_wrong_field_makes_the_whole_answer_wrong(string field) => Refused($$"""{"amount":"9.99","currency":"USD",{{field}}}""");

    [Theory]
    [InlineData("\"period_length\":\"\",\"period_type\":\"\"")]
    [InlineData("\"period_length\":0,\"period_type\":\"\"")]
    [InlineData("\"period_length\":null,\"period_type\":null")]
    public void Empty_period_fields_are_no_period(string fields) => Assert.Null(Found($$"""{"amount":"9.99","currency":"USD",{{fields}}}""").Period);

    [Fact]
    public void An_empty_name_or_post_trial_product_is_none()
    {
        var product = Found("""{"amount":"9.99","currency":"USD","name":"","trial":"1","post_trial_product_id":""}""");

        Assert.Null(product.Name);
        Assert.Null(product.PostTrialSku);
    }

    private static PaymentwallProduct Found(string body)
    {
        Assert.True(PaymentwallPayload.TryRead(Encoding.UTF8.GetBytes(body), out var product));
        return Assert.IsType<PaymentwallProduct>(product);
    }

    private static void Refused(string body)
    {
        Assert.False(PaymentwallPayload.TryRead(Encoding.UTF8.GetBytes(body), out var product));
        Assert.Null(product);
    }
}
