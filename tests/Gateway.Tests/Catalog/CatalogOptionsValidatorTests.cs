using Gateway.Catalog;
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
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(200, true)]
    [InlineData(201, false)]
    public void MaxProducts_has_bounds(int value, bool sound) => Check("Catalog:MaxProducts", sound, options => options.MaxProducts = value);

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

    [Theory]
    [InlineData(0.099, false)]
    [InlineData(0.1, true)]
    [InlineData(60, true)]
    [InlineData(60.001, false)]
    [InlineData(-1, false)]
    public void The_deadline_has_bounds(double seconds, bool sound) => Check("Catalog:Deadline", sound, options => options.Deadline = TimeSpan.FromSeconds(seconds));

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

        var errors = validator.Validate(name: null, new CatalogOptions { MaxProducts = 0 }).Failures;

        Assert.StartsWith("Catalog:MaxProducts: ", Assert.Single(errors!), StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_come_at_once() =>
        Assert.Equal(6, Errors(options =>
        {
            options.MaxProducts = 0;
            options.Products = [".."];
            options.Languages = ["xx"];
            options.SkuTemplate = "x";
            options.ListPriceCurrencyPattern = "(";
            options.Deadline = TimeSpan.Zero;
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
        var options = new CatalogOptions();
        change(options);
        return new CatalogOptionsValidator(Options.Create(_billing), Options.Create(_paymentwall)).Validate(name: null, options).Failures ?? [];
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
            Options.Create(new BillingOptions { AttemptTimeout = TimeSpan.FromSeconds(30) }), Options.Create(new PaymentwallOptions()));

        Assert.NotEmpty(validator.Validate(name: null, new CatalogOptions { Deadline = TimeSpan.FromSeconds(2) }).Failures ?? []);
    }
}
