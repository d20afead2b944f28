using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Catalog;

public sealed class CatalogOptionsValidatorTests
{
    private readonly BillingOptions _billing = new();
    private readonly PaymentwallOptions _paymentwall = new();

    [Fact]
    public void The_defaults_are_sound() => Assert.Empty(Errors(_ => { }));

    [Theory]
    [InlineData("US", true)]
    [InlineData("", false)]
    [InlineData("USA", false)]
    [InlineData("ZZ", false)]
    public void The_default_country_is_one(string country, bool sound) => Check("Catalog:DefaultCountry", sound, options => options.DefaultCountry = country);

    [Theory]
    [InlineData("CF-IPCountry", true)]
    [InlineData("", true)]
    [InlineData("a b", false)]
    [InlineData("a:b", false)]
    public void The_country_header_is_a_name(string header, bool sound) => Check("Catalog:CountryHeader", sound, options => options.CountryHeader = header);

    [Theory]
    [InlineData("a", true)]
    [InlineData("builtfor_example", true)]
    [InlineData("A.b-c_1", true)]
    [InlineData("...", true)]
    [InlineData("", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("a%2Fb", false)]
    [InlineData("é", false)]
    public void Products_are_product_ids(string id, bool sound) => Check("Catalog:Products", sound, options => options.Products = ["fine", id]);

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void A_product_id_has_at_most_128_characters(int length, bool sound) =>
        Check("Catalog:Products", sound, options => options.Products = [new string('a', length)]);

    [Fact]
    public void No_more_products_are_listed_than_may_be_asked_for() => Check("Catalog:Products", sound: false, options =>
    {
        options.MaxProducts = 2;
        options.Products = ["a", "b", "c"];
    });

    [Theory]
    [InlineData("en", true)]
    [InlineData("EN", false)]
    [InlineData("xx", false)]
    [InlineData("eng", false)]
    [InlineData("", false)]
    public void Languages_are_codes(string language, bool sound) => Check("Catalog:Languages", sound, options => options.Languages = ["fr", language]);

    [Theory]
    [InlineData("{productId}-{id}", true)]
    [InlineData("constant", false)]
    [InlineData("{sku}", false)]
    public void The_SKU_template_uses_known_fields(string template, bool sound) => Check("Catalog:SkuTemplate", sound, options => options.SkuTemplate = template);

    [Theory]
    [InlineData("^(?<currency>...)", true)]
    [InlineData("", false)]
    [InlineData("[A-Z]{3}", false)]
    [InlineData("(?<Currency>[A-Z]{3})", false)]
    [InlineData("(?<currency>[A-Z]{3}", false)]
    [InlineData("(?<=-)(?<currency>[A-Z]{3})", false)]
    [InlineData("(?<currency>[A-Z])\\k<currency>", false)]
    public void The_currency_pattern_has_the_group_and_needs_no_backtracking(string pattern, bool sound) =>
        Check("Catalog:ListPriceCurrencyPattern", sound, options => options.ListPriceCurrencyPattern = pattern);

    [Fact]
    public void A_total_left_at_its_default_never_contradicts() =>
        Assert.Empty(Errors(options => options.Deadline = TimeSpan.FromMilliseconds(200)));

    [Fact]
    public void An_explicit_total_beyond_the_deadline_is_an_error_that_prints_both()
    {
        _billing.Timeout = TimeSpan.FromSeconds(8);
        _paymentwall.Timeout = TimeSpan.FromSeconds(7);

        var errors = Errors(options => options.Deadline = TimeSpan.FromSeconds(6)).ToList();

        Assert.Collection(
            errors,
            error => Assert.Contains("Billing:Timeout (00:00:08) is longer than Catalog:Deadline (00:00:06)", error, StringComparison.Ordinal),
            error => Assert.Contains("Paymentwall:Timeout (00:00:07) is longer than Catalog:Deadline (00:00:06)", error, StringComparison.Ordinal));
    }

    [Fact]
    public void An_explicit_total_within_the_deadline_is_sound()
    {
        _billing.Timeout = TimeSpan.FromSeconds(6);
        _paymentwall.Timeout = TimeSpan.FromSeconds(1);

        Assert.Empty(Errors(options => options.Deadline = TimeSpan.FromSeconds(6)));
    }

    [Fact]
    public void Another_section_that_is_wrong_in_itself_does_not_hide_these_errors()
    {
        var validator = new CatalogOptionsValidator(new Broken<BillingOptions>(), new Broken<PaymentwallOptions>());

        var errors = validator.Validate(name: null, new CatalogOptions { DefaultCountry = "?" }).Failures;

        Assert.StartsWith("Catalog:DefaultCountry: ", Assert.Single(errors!), StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_come_at_once() =>
        Assert.Equal(5, Errors(options =>
        {
            options.DefaultCountry = string.Empty;
            options.Products = [".."];
            options.Languages = ["xx"];
            options.SkuTemplate = "x";
            options.ListPriceCurrencyPattern = "(";
        }).Select(error => error.Split(':')[1]).Distinct(StringComparer.Ordinal).Count());

    private void Check(string key, bool sound, Action<CatalogOptions> change)
    {
        var errors = Errors(change);
        if (sound)
        {
            Assert.Empty(errors);
        }
        else
        {
            Assert.StartsWith(key + ":", Assert.Single(errors), StringComparison.Ordinal);
        }
    }

    private IEnumerable<string> Errors(Action<CatalogOptions> change)
    {
        var options = new CatalogOptions { DefaultCountry = "US" };
        change(options);
        return new CatalogOptionsValidator(Fixed.Options(_billing), Fixed.Options(_paymentwall)).Validate(name: null, options).Failures ?? [];
    }

    private sealed class Broken<T> : IOptions<T>
        where T : class
    {
        public T Value => throw new OptionsValidationException(string.Empty, typeof(T), ["wrong in itself"]);
    }

    [Fact]
    public void An_explicit_attempt_beyond_the_deadline_is_an_error()
    {
        var validator = new CatalogOptionsValidator(
            Fixed.Options(new BillingOptions { AttemptTimeout = TimeSpan.FromSeconds(30) }), Fixed.Options(new PaymentwallOptions()));

        Assert.NotEmpty(validator.Validate(name: null, new CatalogOptions { Deadline = TimeSpan.FromSeconds(2) }).Failures ?? []);
    }
}
