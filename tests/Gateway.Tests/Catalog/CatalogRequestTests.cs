namespace Gateway.Tests.Catalog;

public sealed class CatalogRequestTests
{
    [Fact]
    public void Test_data_and_what_is_not_active_are_not_for_shared_caches()
    {
        Assert.False(Given.Request().IsPrivate);
        Assert.False((Given.Request() with { Status = "active" }).IsPrivate);
        Assert.True((Given.Request() with { Status = "inactive" }).IsPrivate);
        Assert.True((Given.Request() with { Sandbox = true }).IsPrivate);
        Assert.True((Given.Request() with { Sandbox = true, Status = "inactive" }).IsPrivate);
    }

    [Fact]
    public void Without_a_filter_everything_is_selected() => Assert.True(Given.Request().Selects(Given.Component()));

    [Theory]
    [InlineData("plan", true)]
    [InlineData("addon", true)]
    [InlineData("Plan", false)]
    [InlineData("usage", false)]
    [InlineData(null, false)]
    public void A_component_of_a_type_that_was_not_asked_for_is_not_selected(string? type, bool isSelected) =>
        Assert.Equal(isSelected, (Given.Request() with { Types = ["plan", "addon"] }).Selects(Given.Component() with { Type = type }));

    [Theory]
    [InlineData("month", true)]
    [InlineData("year", false)]
    [InlineData(null, false)]
    public void A_component_of_a_period_that_was_not_asked_for_is_not_selected(string? unit, bool isSelected)
    {
        var component = Given.Component() with { BillingPeriod = unit is null ? null : Given.Period(unit, 1) };

        Assert.Equal(isSelected, (Given.Request() with { Periods = ["month"] }).Selects(component));
    }

    [Theory]
    [InlineData("plan", "month", true)]
    [InlineData("plan", "year", false)]
    [InlineData("addon", "month", false)]
    public void Type_and_period_both_have_to_be_asked_for(string type, string unit, bool isSelected) =>
        Assert.Equal(
            isSelected,
            (Given.Request() with { Types = ["plan"], Periods = ["month"] }).Selects(Given.Component() with { Type = type, BillingPeriod = Given.Period(unit, 1) }));

    [Fact]
    public void The_key_is_put_together_once()
    {
        var request = Given.Request();

        Assert.Same(request.Key, request.Key);
    }
}
