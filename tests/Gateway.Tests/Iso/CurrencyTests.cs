using Gateway.Iso;

namespace Gateway.Tests.Iso;

public sealed class CurrencyTests
{
    [Theory]
    [InlineData("JPY", 0)]
    [InlineData("KRW", 0)]
    [InlineData("CLP", 0)]
    [InlineData("ISK", 0)]
    [InlineData("VND", 0)]
    [InlineData("UGX", 0)]
    [InlineData("XAF", 0)]
    [InlineData("XOF", 0)]
    [InlineData("XPF", 0)]
    [InlineData("USD", 2)]
    [InlineData("usd", 2)]
    [InlineData("EUR", 2)]
    [InlineData("GBP", 2)]
    [InlineData("HUF", 2)]
    [InlineData("TWD", 2)]
    [InlineData("IDR", 2)]
    [InlineData("MGA", 2)]
    [InlineData("MRU", 2)]
    [InlineData("XCD", 2)]
    [InlineData("BHD", 3)]
    [InlineData("IQD", 3)]
    [InlineData("JOD", 3)]
    [InlineData("KWD", 3)]
    [InlineData("LYD", 3)]
    [InlineData("OMR", 3)]
    [InlineData("TND", 3)]
    [InlineData("CLF", 4)]
    [InlineData("UYW", 4)]
    public void A_currency_has_the_exponent_of_ISO_4217(string code, int exponent)
    {
        Assert.True(Currency.TryGet(code, out var currency));
        Assert.Equal(new Currency(code.ToUpperInvariant(), exponent), currency);
    }

    [Theory]
    [InlineData("XAU")]
    [InlineData("XAG")]
    [InlineData("XPT")]
    [InlineData("XPD")]
    [InlineData("XDR")]
    [InlineData("XSU")]
    [InlineData("XUA")]
    [InlineData("XBA")]
    [InlineData("XTS")]
    [InlineData("XXX")]
    [InlineData("BTC")]
    [InlineData("DEM")]
    [InlineData("us d")]
    [InlineData("US")]
    [InlineData("USD ")]
    [InlineData("")]
    [InlineData(null)]
    public void What_one_cannot_be_charged_in_is_not_a_currency(string? code)
    {
        Assert.False(Currency.TryGet(code, out var currency));
        Assert.Null(currency);
    }
}
