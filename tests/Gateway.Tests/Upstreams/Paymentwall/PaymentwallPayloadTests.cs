using System.Text;
using Gateway.Iso;
using Gateway.Problems;
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
        Assert.Equal(new PaymentwallReading(Product: null), PaymentwallPayload.Read(Encoding.UTF8.GetBytes(body)));
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
    [InlineData("{\"amount\":\"1.00\",\"amount\":\"2.00\",\"currency\":\"USD\"}")]
    [InlineData("{\"amount\":\"1.00\",\"currency\":\"USD\",\"currency\":\"USD\"}")]
    [InlineData("{\"amount\":\"1.00\",\"currency\":\"USD\",\"trial\":1,\"trial\":0}")]
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
    [InlineData("\"name\":{}", "name")]
    [InlineData("\"name\":[\"a\"]", "name")]
    [InlineData("\"name\":\"\\ud800\"", "name")]
    [InlineData("\"recurring\":\"yes\"", "recurring")]
    [InlineData("\"recurring\":2", "recurring")]
    [InlineData("\"trial\":{}", "trial")]
    [InlineData("\"post_trial_product_id\":{}", "post_trial_product_id")]
    [InlineData("\"old_price\":\"N/A\"", "old_price")]
    [InlineData("\"old_price\":\"-1\"", "old_price")]
    [InlineData("\"old_price\":\"19.999\"", "old_price")]
    [InlineData("\"old_price\":false", "old_price")]
    [InlineData("\"most_popular\":{\"a\":[]},\"product_pic_url\":7", "")]
    public void What_is_beside_the_point_never_costs_the_price(string field, string unreadable)
    {
        var reading = PaymentwallPayload.Read(Encoding.UTF8.GetBytes($$"""{"amount":"9.99","currency":"USD",{{field}}}"""));

        Assert.Equal(new Currency("USD", 2), reading.Product!.Price.Currency);
        Assert.Equal((999, null, false, false, null, null), (reading.Product.Price.AmountMinor, reading.Product.Name, reading.Product.Recurring, reading.Product.IsTrial, reading.Product.PostTrialSku, reading.Product.OldPrice));
        Assert.Equal(unreadable, string.Join(',', reading.Unreadable ?? []));
    }

    [Fact]
    public void An_amount_that_may_be_a_trials_does_not_look_like_the_price()
    {
        Assert.True(Found("""{"amount":"0.99","currency":"USD","trial":"yes","post_trial_product_id":"next"}""").IsTrial);
        Assert.False(Found("""{"amount":"0.99","currency":"USD","trial":"0","post_trial_product_id":"next"}""").IsTrial);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("recurring")]
    [InlineData("trial")]
    [InlineData("post_trial_product_id")]
    [InlineData("old_price")]
    public void An_empty_array_is_PHPs_word_for_nothing(string field) =>
        Assert.Null(PaymentwallPayload.Read(Encoding.UTF8.GetBytes($$"""{"amount":"9.99","currency":"USD","{{field}}":[]}""")).Unreadable);

    [Theory]
    [InlineData("""{"type":"Error","object":"Error","error":"Invalid signature","code":1003}""", 1003L)]
    [InlineData("""{"object":"error","error":"x","code":"7"}""", 7L)]
    [InlineData("""{"object":"Error","amount":"1.00","currency":"USD","code":{}}""", null)]
    public void The_vendors_error_object_is_a_refusal_with_its_number(string body, long? code) =>
        Assert.Equal(new PaymentwallReading(Product: null, UpstreamFailure.Rejected, code), PaymentwallPayload.Read(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("usd", "Month", "P1M")]
    [InlineData("Usd", "months", "P1M")]
    [InlineData("USD", "WEEKS", "P1W")]
    public void Codes_and_units_are_read_in_any_case_and_number(string currency, string unit, string iso)
    {
        var product = Found($$"""{"amount":"9.99","currency":"{{currency}}","period_length":"1","period_type":"{{unit}}"}""");

        Assert.Equal(("USD", iso), (product.Price.Currency.Code, product.Period!.Iso));
    }

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
    [InlineData("\"period_length\":\"3\"")]
    [InlineData("\"period_type\":\"day\"")]
    [InlineData("\"period_length\":\"-1\",\"period_type\":\"day\"")]
    [InlineData("\"period_length\":1.5,\"period_type\":\"day\"")]
    [InlineData("\"period_length\":\"1\",\"period_type\":\"hour\"")]
    [InlineData("\"period_length\":[],\"period_type\":\"day\"")]
    [InlineData("\"period_type\":{}")]
    [InlineData("\"object\":\"offer\"")]
    public void A_wrong_period_or_object_makes_the_answer_wrong(string field) => Refused($$"""{"amount":"9.99","currency":"USD",{{field}}}""");

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
        var reading = PaymentwallPayload.Read(Encoding.UTF8.GetBytes(body));
        Assert.Null(reading.Failure);
        return Assert.IsType<PaymentwallProduct>(reading.Product);
    }

    private static void Refused(string body) =>
        Assert.Equal(new PaymentwallReading(Product: null, UpstreamFailure.BadPayload), PaymentwallPayload.Read(Encoding.UTF8.GetBytes(body)));

    /// <summary>One field at a time, in every way that has been seen or is imaginable; the wrong forms of the price itself are tested one by one above.</summary>
    [Fact]
    public void The_price_survives_whatever_breaks_unless_it_is_the_amount_the_currency_or_the_period()
    {
        // "object" says what the body is, and is not broken here.
        string[] price = ["amount", "currency", "period_length", "period_type"];
        var whole = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["object"] = "\"product\"",
            ["id"] = "\"p\"",
            ["name"] = "\"Pro\"",
            ["amount"] = "\"9.99\"",
            ["currency"] = "\"USD\"",
            ["period_length"] = "\"1\"",
            ["period_type"] = "\"month\"",
            ["recurring"] = "\"1\"",
            ["trial"] = "0",
            ["post_trial_product_id"] = "\"\"",
            ["type"] = "\"subscription\"",
            ["old_price"] = "\"19.99\"",
            ["show_discount"] = "0",
            ["product_description"] = "\"\"",
            ["product_pic_url"] = "\"\"",
            ["most_popular"] = "0",
            ["best_value"] = "0",
            ["is_default"] = "0",
            ["order"] = "2",
            ["promotion"] = "\"\"",
            ["slug"] = "\"pro\"",
            ["custom_fields"] = "\"\"",
            ["code"] = "0",
            ["unheard_of"] = "0",
        };
        string[] broken = ["null", "[]", "[1]", "{}", "{\"a\":{\"b\":[]}}", "true", "false", "-1", "1.5", "1e400", "\"\"", "\"N/A\"", "\"\\ud800\"", "\"\\u0000\""];
        var survived = 0;
        foreach (var field in whole.Keys)
        {
            foreach (var value in broken.Where(_ => field != "object"))
            {
                var body = "{" + string.Join(',', whole.Select(pair => $"\"{pair.Key}\":{(pair.Key == field ? value : pair.Value)}")) + "}";
                var reading = PaymentwallPayload.Read(System.Text.Encoding.UTF8.GetBytes(body));
                if (price.Contains(field))
                {
                    // A price or none: never another amount or currency.
                    Assert.True(reading.Failure == UpstreamFailure.BadPayload || (field == "amount" && value == "1.5") || reading.Product is { Price: { AmountMinor: 999, Currency.Code: "USD" } }, body);
                }
                else
                {
                    Assert.True(reading is { Failure: null, Product: { Price: { AmountMinor: 999, Currency.Code: "USD" }, Period.Iso: "P1M" } }, body);
                    survived++;
                }
            }
        }

        Assert.Equal((whole.Count - price.Length - 1) * broken.Length, survived);
    }
}
