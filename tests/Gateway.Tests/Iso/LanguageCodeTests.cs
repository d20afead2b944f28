using Gateway.Iso;

namespace Gateway.Tests.Iso;

public sealed class LanguageCodeTests
{
    /// <summary>183 in use or withdrawn only from use (<c>sh</c>), and <c>bh</c>, which ISO made a collection in 2021.</summary>
    [Fact]
    public void There_are_184_codes_of_two_lowercase_letters()
    {
        Assert.Equal(184, LanguageCode.All.Count);
        Assert.All(LanguageCode.All, code => Assert.True(code.Length == 2 && code.All(char.IsAsciiLetterLower), code));
    }

    [Theory]
    [InlineData("en", true)]
    [InlineData("fr", true)]
    [InlineData("pt", true)]
    [InlineData("zh", true)]
    [InlineData("EN", false)]
    [InlineData("xx", false)]
    [InlineData("eng", false)]
    [InlineData("en-US", false)]
    public void Only_codes_of_the_standard_are_known(string code, bool known) => Assert.Equal(known, LanguageCode.All.Contains(code));
}
