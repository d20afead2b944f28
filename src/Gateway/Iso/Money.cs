using System.Globalization;

namespace Gateway.Iso;

/// <summary>An amount as an integer of minor units with its currency. Never floating point.</summary>
internal readonly record struct Money(long AmountMinor, Currency Currency)
{
    /// <summary>The decimal string with exactly the currency's decimals: 999 USD is "9.99", 1500 JPY is "1500".</summary>
    public string Amount
    {
        get
        {
            var digits = AmountMinor.ToString(CultureInfo.InvariantCulture).PadLeft(Currency.Exponent + 1, '0');
            return Currency.Exponent == 0 ? digits : $"{digits[..^Currency.Exponent]}.{digits[^Currency.Exponent..]}";
        }
    }

    /// <summary>
    /// Reads a plain decimal ("9.99", "1500.00" for JPY). Refused, because guessing at money is worse than saying so: a sign, an
    /// exponent, separators, white space, a bare dot, decimals beyond the currency's that are not zero, and what does not fit.
    /// </summary>
    public static bool TryParse(string? text, Currency currency, out Money money)
    {
        money = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var whole = dot < 0 ? text : text[..dot];
        var decimals = dot < 0 ? string.Empty : text[(dot + 1)..];
        if (whole.Length == 0 || (dot >= 0 && decimals.Length == 0) || !AllDigits(whole) || !AllDigits(decimals))
        {
            return false;
        }

        var kept = decimals.Length > currency.Exponent ? decimals[..currency.Exponent] : decimals.PadRight(currency.Exponent, '0');
        var beyond = decimals.Length > currency.Exponent ? decimals[currency.Exponent..] : string.Empty;
        if (beyond.AsSpan().ContainsAnyExcept('0')
            || !long.TryParse(whole + kept, NumberStyles.None, CultureInfo.InvariantCulture, out var minor))
        {
            return false;
        }

        money = new Money(minor, currency);
        return true;
    }

    private static bool AllDigits(string text) => !text.AsSpan().ContainsAnyExceptInRange('0', '9');
}
