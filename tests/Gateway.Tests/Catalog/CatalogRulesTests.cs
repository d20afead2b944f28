using Gateway.Configuration;

namespace Gateway.Tests.Catalog;

public sealed class CatalogRulesTests
{
    [Fact]
    public void The_SKU_is_the_id_by_default() => Assert.Equal("c", Given.Rules().SkuOf(Given.Component()));

    [Fact]
    public void The_map_goes_before_the_template()
    {
        var rules = Given.Rules(options =>
        {
            options.SkuTemplate = "{productId}-{id}";
            options.SkuMap["c"] = "mapped";
        });

        Assert.Equal("mapped", rules.SkuOf(Given.Component()));
        Assert.Equal("p-d", rules.SkuOf(Given.Component("d")));
        Assert.Equal("p-C", rules.SkuOf(Given.Component("C")));
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public void A_component_mapped_to_nothing_has_no_SKU(string? nothing) =>
        Assert.Null(Given.Rules(options => options.SkuMap["c"] = nothing!).SkuOf(Given.Component()));

    [Fact]
    public void The_overlay_of_the_id_goes_field_by_field_before_that_of_the_group()
    {
        var rules = Given.Rules(options =>
        {
            options.Overlay["g"] = new CatalogOverlay { Name = "group", Description = "of the group", Features = ["g1", "g2"] };
            options.Overlay["c"] = new CatalogOverlay { Name = "own", Features = [] };
        });

        var both = rules.OverlayOf(Given.Component() with { GroupId = "g" });
        Assert.Equal(("own", "of the group"), (both.Name, both.Description));
        Assert.Empty(both.Features!);

        var groupOnly = rules.OverlayOf(Given.Component("other") with { GroupId = "g" });
        Assert.Equal(("group", "of the group"), (groupOnly.Name, groupOnly.Description));
        Assert.Equal(["g1", "g2"], groupOnly.Features);

        var idOnly = rules.OverlayOf(Given.Component());
        Assert.Equal(("own", null), (idOnly.Name, idOnly.Description));

        rules = Given.Rules(options =>
        {
            options.Overlay["g"] = new CatalogOverlay { Description = "of the group" };
            options.Overlay["c"] = new CatalogOverlay { Description = "own" };
        });
        Assert.Equal("own", rules.OverlayOf(Given.Component() with { GroupId = "g" }).Description);

        var none = rules.OverlayOf(Given.Component("other"));
        Assert.Null(none.Name);
        Assert.Null(none.Description);
        Assert.Null(none.Features);
    }

    [Theory]
    [InlineData("pro-EUR-monthly", null, "EUR")]
    [InlineData("pro-JPY-monthly", "", "JPY")]
    [InlineData("pro-EUR-monthly", "USD", "USD")]
    [InlineData("pro-monthly", "KWD", "KWD")]
    [InlineData("pro-monthly", null, null)]
    [InlineData("pro-eur-monthly", null, null)]
    [InlineData("pro-EURO-monthly", null, null)]
    [InlineData("EUR-monthly", null, null)]
    [InlineData("pro-EUR", null, null)]
    [InlineData("pro-XXX-monthly", null, null)]
    [InlineData("pro-monthly", "???", null)]
    [InlineData("pro-monthly", "EU1", null)]
    [InlineData("pro-monthly", "QQQ", "QQQ")]
    [InlineData("x-PRO-EUR-m", null, "EUR")]
    [InlineData("x-PRO-", null, null)]
    public void The_list_price_s_currency_is_Billing_s_word_else_what_the_id_says(string id, string? currency, string? expected) =>
        Assert.Equal(expected, Given.Rules().ListPriceCurrencyOf(Given.Component(id) with { Currency = currency }));

    [Fact]
    public void The_pattern_is_the_operator_s() =>
        Assert.Equal(
            "GBP",
            Given.Rules(options => options.ListPriceCurrencyPattern = "^(?<currency>[A-Z]{3})_").ListPriceCurrencyOf(Given.Component("GBP_x-EUR-y")));

    [Fact]
    public void A_pattern_that_also_matches_nothing_comes_to_an_end() =>
        Assert.Null(Given.Rules(options => options.ListPriceCurrencyPattern = "(?<currency>[A-Z]*)").ListPriceCurrencyOf(Given.Component("pro-monthly")));

    [Fact]
    public void A_pattern_that_would_backtrack_for_ever_does_not() =>
        Assert.Null(Given.Rules(options => options.ListPriceCurrencyPattern = "^(a+)+(?<currency>[A-Z]{3})$").ListPriceCurrencyOf(Given.Component(new string('a', 5_000))));
}
