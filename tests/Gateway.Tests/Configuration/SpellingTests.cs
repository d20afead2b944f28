using Gateway.Configuration;

namespace Gateway.Tests.Configuration;

public sealed class SpellingTests
{
    private static readonly string[] Known = ["product", "country", "lang", "type", "period", "status", "sandbox", "prices"];

    [Theory]
    [InlineData("contry", "country")]
    [InlineData("coutnry", "country")]
    [InlineData("COUNTRI", "country")]
    [InlineData("countryy", "country")]
    [InlineData("country[]", "country")]
    [InlineData("prodcts", "product")]
    [InlineData("price", "prices")]
    [InlineData("lnag", "lang")]
    [InlineData("langs", "lang")]
    [InlineData("typ", "type")]
    [InlineData("language", null)]
    [InlineData("tpye2", null)]
    [InlineData("cntr", null)]
    [InlineData("utm_source", null)]
    [InlineData("gclid", null)]
    [InlineData("tag", null)]
    [InlineData("page", null)]
    [InlineData("_", null)]
    [InlineData("", null)]
    public void A_name_is_near_another_by_few_letters(string name, string? nearest) => Assert.Equal(nearest, Spelling.Nearest(name, Known));

    [Fact]
    public void The_nearer_of_two_is_meant() => Assert.Equal("Billing", Spelling.Nearest("Biling", ["Bowling", "Billing"]));
}
