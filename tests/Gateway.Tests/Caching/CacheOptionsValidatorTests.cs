using System.Globalization;
using Gateway.Caching;

namespace Gateway.Tests.Caching;

public sealed class CacheOptionsValidatorTests
{
    [Fact]
    public void The_defaults_pass() => Assert.Empty(Errors(_ => { }));

    [Theory]
    [InlineData("00:00:01", true)]
    [InlineData("01:00:00", true)]
    [InlineData("00:00:00.999", false)]
    [InlineData("01:00:00.001", false)]
    [InlineData("-00:01:00", false)]
    public void Freshness_is_a_second_to_an_hour(string text, bool isSound)
    {
        var time = TimeSpan.Parse(text, CultureInfo.InvariantCulture);

        Assert.Equal(isSound ? [] : ["Catalog:FreshFor"], Keys(options => options.FreshFor = time));
        Assert.Equal(isSound ? [] : ["Catalog:NotFoundFor"], Keys(options => options.NotFoundFor = time));
    }

    [Theory]
    [InlineData("00:00:00", true)]
    [InlineData("7.00:00:00", true)]
    [InlineData("-00:00:01", false)]
    [InlineData("7.00:00:01", false)]
    public void The_stale_window_is_nothing_to_a_week(string text, bool isSound) =>
        Assert.Equal(isSound ? [] : ["Catalog:StaleFor"], Keys(options => options.StaleFor = TimeSpan.Parse(text, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData(1024 * 1024, true)]
    [InlineData(8L * 1024 * 1024 * 1024, true)]
    [InlineData((1024 * 1024) - 1, false)]
    [InlineData((8L * 1024 * 1024 * 1024) + 1, false)]
    [InlineData(64, false)]
    [InlineData(-1, false)]
    public void Memory_is_a_mebibyte_to_8_gibibytes(long bytes, bool isSound) =>
        Assert.Equal(isSound ? [] : ["Catalog:MemoryLimit"], Keys(options => options.MemoryLimit = bytes));

    [Fact]
    public void All_errors_are_told_at_once() =>
        Assert.Equal(
            ["Catalog:FreshFor", "Catalog:StaleFor", "Catalog:NotFoundFor", "Catalog:MemoryLimit"],
            Keys(options => (options.FreshFor, options.StaleFor, options.NotFoundFor, options.MemoryLimit) =
                (TimeSpan.MaxValue, TimeSpan.MinValue, TimeSpan.Zero, long.MinValue)));

    private static List<string> Errors(Action<CacheOptions> change)
    {
        var options = new CacheOptions();
        change(options);
        return [.. new CacheOptionsValidator().Validate(name: null, options).Failures ?? []];
    }

    private static List<string> Keys(Action<CacheOptions> change) => [.. Errors(change).Select(error => error[..error.IndexOf(": ", StringComparison.Ordinal)])];
}
