using System.Globalization;

namespace Gateway.Simulator.Paymentwall;

/// <summary>
/// An amount as Paymentwall says it in one country: integers all the way, so that the same SKU always costs the same string.
/// Rates are invented, near enough to be plausible.
/// </summary>
internal static class LocalAmount
{
    private static readonly Currency Dollar = new("USD", Decimals: 2, Percent: 100);
    private static readonly Currency Euro = new("EUR", Decimals: 2, Percent: 95);

    private static readonly Dictionary<string, Currency> ByCountry = new(
        new Dictionary<string, Currency>(StringComparer.Ordinal)
        {
            ["US"] = Dollar,
            ["JP"] = new("JPY", Decimals: 0, Percent: 150, Step: 10),
            ["KW"] = new("KWD", Decimals: 3, Percent: 307, Step: 10),
            ["GB"] = new("GBP", Decimals: 2, Percent: 79),
            ["CH"] = new("CHF", Decimals: 2, Percent: 88, Step: 5),
            ["CA"] = new("CAD", Decimals: 2, Percent: 137),
            ["BR"] = new("BRL", Decimals: 2, Percent: 560),
            ["PL"] = new("PLN", Decimals: 2, Percent: 395),
        }.Concat(
            "AD AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MC ME MT NL PT SI SK SM VA XK".Split(' ')
                .Select(country => KeyValuePair.Create(country, Euro))),
        StringComparer.Ordinal);

    public static string CurrencyCode(string country) => Of(country).Code;

    /// <param name="usdCents">The price in the United States.</param>
    /// <param name="country">Upper case.</param>
    /// <param name="idleDecimals">Write decimals where the currency has none ("1500.00" JPY), as some products have it.</param>
    public static string Format(long usdCents, string country, bool idleDecimals = false)
    {
        var currency = Of(country);

        // In minor units, rounded up to the currency's step.
        var minor = usdCents * currency.Percent / 100;
        minor = (minor + currency.Step - 1) / currency.Step * currency.Step;
        if (currency.Decimals == 0)
        {
            return minor.ToString(CultureInfo.InvariantCulture) + (idleDecimals ? ".00" : "");
        }

        var digits = minor.ToString(CultureInfo.InvariantCulture).PadLeft(currency.Decimals + 1, '0');
        return $"{digits[..^currency.Decimals]}.{digits[^currency.Decimals..]}";
    }

    private static Currency Of(string country) => ByCountry.GetValueOrDefault(country, Dollar);

    /// <param name="Code">ISO 4217.</param>
    /// <param name="Decimals">Digits of its minor unit.</param>
    /// <param name="Percent">Minor units for one hundred US cents.</param>
    /// <param name="Step">Smallest amount in use, in minor units.</param>
    private sealed record Currency(string Code, int Decimals, int Percent, int Step = 1);
}
