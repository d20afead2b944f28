using Gateway.Iso;

namespace Gateway.Tests.Iso;

public sealed class CountryCodeTests
{
    [Fact]
    public void There_are_249_codes()
    {
        var letters = Enumerable.Range('A', 26).Select(letter => (char)letter).ToArray();

        var codes = letters.SelectMany(first => letters.Select(second => $"{first}{second}")).Where(text => CountryCode.TryParse(text, out _));

        Assert.Equal(249, codes.Count());
    }

    [Theory]
    [InlineData("US", "US")]
    [InlineData("us", "US")]
    [InlineData("uS", "US")]
    [InlineData("it", "IT")]
    [InlineData("gb", "GB")]
    [InlineData("SS", "SS")]
    [InlineData("cw", "CW")]
    [InlineData("GR", "GR")]
    public void A_code_is_read_in_any_case_and_is_upper_case(string text, string code)
    {
        Assert.True(CountryCode.TryParse(text, out var read));
        Assert.Equal(code, read);
    }

    [Theory]
    [InlineData("XX")]
    [InlineData("T1")]
    [InlineData("UK")]
    [InlineData("EU")]
    [InlineData("XK")]
    [InlineData("AN")]
    [InlineData("SU")]
    [InlineData("ZZ")]
    [InlineData("USA")]
    [InlineData("U")]
    [InlineData("US ")]
    [InlineData(" U")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_not_assigned_is_refused(string? text)
    {
        Assert.False(CountryCode.TryParse(text, out var code));
        Assert.Equal(string.Empty, code);
    }

    [Theory]
    [InlineData("\u0131t")] // dotless i
    [InlineData("\u0130T")] // dotted I
    [InlineData("\u017fe")] // long s
    [InlineData("\u212ae")] // Kelvin sign
    [InlineData("\uff35\uff33")] // full width
    [InlineData("\u00df")] // sharp s, which some would write SS
    [InlineData("\u0405E")] // Cyrillic
    [InlineData("\ud83c\uddfa")] // half a flag
    [InlineData("U\0")]
    public void A_letter_that_only_looks_like_one_is_refused(string text) => Assert.False(CountryCode.TryParse(text, out _));
}
