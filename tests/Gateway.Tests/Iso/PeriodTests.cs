using Gateway.Iso;

namespace Gateway.Tests.Iso;

public sealed class PeriodTests
{
    [Theory]
    [InlineData("day", 10, "P10D")]
    [InlineData("week", 1, "P1W")]
    [InlineData("month", 1, "P1M")]
    [InlineData("month", 12, "P12M")]
    [InlineData("year", 3, "P3Y")]
    [InlineData("day", 10_000, "P10000D")]
    public void A_period_has_an_ISO_8601_duration(string unit, long count, string iso)
    {
        Assert.True(Period.TryCreate(unit, count, out var period));
        Assert.Equal(new Period(unit, (int)count, iso), period);
    }

    [Theory]
    [InlineData("Months", "month")]
    [InlineData("YEAR", "year")]
    [InlineData("dayS", "day")]
    public void A_unit_is_read_in_any_case_and_in_the_plural(string text, string unit)
    {
        Assert.True(Period.TryCreate(text, 2, out var period));
        Assert.Equal(unit, period.Unit);
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData("", 1)]
    [InlineData("monthss", 1)]
    [InlineData("mon", 1)]
    [InlineData("month ", 1)]
    [InlineData("hour", 1)]
    [InlineData("month", 0)]
    [InlineData("month", -1)]
    [InlineData("month", 10_001)]
    [InlineData("month", long.MaxValue)]
    [InlineData("month", 4_294_967_297)]
    public void An_unknown_unit_or_a_senseless_count_is_refused(string? unit, long count)
    {
        Assert.False(Period.TryCreate(unit, count, out var period));
        Assert.Null(period);
    }
}
