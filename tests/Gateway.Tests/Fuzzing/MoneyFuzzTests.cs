using System.Numerics;
using Gateway.Iso;

namespace Gateway.Tests.Fuzzing;

public sealed class MoneyFuzzTests
{
    private static readonly string[] Words = ["USD ", "JPY ", "KWD ", "CLF ", "EUR ", "0", "00000000", "9", "99999999", ".", ".00", ".000", ".0000", "-", "+", "e", ",", "1'000"];

    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task Money_is_what_exact_arithmetic_makes_of_a_plain_decimal_or_none() => FuzzRun.OfTextAsync("money", Words, text =>
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || !Currency.TryGet(text[..space], out var currency))
        {
            return false;
        }

        var amount = text[(space + 1)..];
        var expected = Minor(amount, currency.Exponent);
        if (!Money.TryParse(amount, currency, out var money))
        {
            Assert.Null(expected);
            return false;
        }

        Assert.Equal(expected, money.AmountMinor);
        Assert.True(money.AmountMinor >= 0);
        Assert.True(Money.TryParse(money.Amount, currency, out var again));
        Assert.Equal(money, again);

        // The text is that number and no other spelling of it.
        var digits = money.Amount.Replace(".", string.Empty, StringComparison.Ordinal);
        Assert.Equal(expected, BigInteger.Parse(digits, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(currency.Exponent == 0 ? -1 : money.Amount.Length - currency.Exponent - 1, money.Amount.IndexOf('.', StringComparison.Ordinal));
        Assert.True(money.Amount[0] != '0' || money.Amount.Length == 1 || money.Amount[1] == '.', money.Amount);
        return true;
    });

    /// <summary>The amount in minor units, character by character; null if it is no plain decimal, not exact, or does not fit.</summary>
    internal static BigInteger? Minor(string text, int exponent)
    {
        var minor = BigInteger.Zero;
        int whole = 0, decimals = -1;
        foreach (var c in text)
        {
            if (c == '.' && decimals < 0)
            {
                decimals = 0;
                continue;
            }

            if (c is < '0' or > '9')
            {
                return null;
            }

            whole += decimals < 0 ? 1 : 0;
            if (decimals >= exponent)
            {
                decimals++;
                if (c != '0')
                {
                    return null;
                }

                continue;
            }

            decimals += decimals < 0 ? 0 : 1;
            minor = (minor * 10) + (c - '0');
        }

        if (whole == 0 || decimals == 0)
        {
            return null;
        }

        minor *= BigInteger.Pow(10, exponent - Math.Clamp(decimals, 0, exponent));
        return minor <= long.MaxValue ? minor : null;
    }
}
