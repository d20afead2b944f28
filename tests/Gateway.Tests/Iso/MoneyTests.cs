using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Iso;

namespace Gateway.Tests.Iso;

public sealed class MoneyTests
{
    [Theory]
    [InlineData("9.99", "USD", 999)]
    [InlineData("9.9", "USD", 990)]
    [InlineData("9", "USD", 900)]
    [InlineData("0", "USD", 0)]
    [InlineData("0.00", "USD", 0)]
    [InlineData("0.05", "USD", 5)]
    [InlineData("1500", "JPY", 1500)]
    [InlineData("1500.00", "JPY", 1500)]
    [InlineData("1500.0000000000000000000000000", "JPY", 1500)]
    [InlineData("1.234", "KWD", 1234)]
    [InlineData("1.2340", "KWD", 1234)]
    [InlineData("1250.5", "IQD", 1250500)]
    [InlineData("1.2345", "CLF", 12345)]
    [InlineData("92233720368547758.07", "USD", long.MaxValue)]
    [InlineData("9223372036854775807", "JPY", long.MaxValue)]
    public void A_plain_decimal_becomes_minor_units(string text, string currency, long minor)
    {
        Assert.True(Money.TryParse(text, Known(currency), out var money));
        Assert.Equal(minor, money.AmountMinor);
        Assert.Equal(currency, money.Currency.Code);
    }

    [Theory]
    [InlineData(null, "USD")]
    [InlineData("", "USD")]
    [InlineData(" ", "USD")]
    [InlineData(" 9.99", "USD")]
    [InlineData("9.99 ", "USD")]
    [InlineData("9.99\n", "USD")]
    [InlineData("9.99\0", "USD")]
    [InlineData("9\u00a0000", "USD")]
    [InlineData("-9.99", "USD")]
    [InlineData("+9.99", "USD")]
    [InlineData("-0", "USD")]
    [InlineData("\u22129", "USD")]
    [InlineData("1e3", "USD")]
    [InlineData("1E3", "JPY")]
    [InlineData("1,000", "USD")]
    [InlineData("1,000.00", "USD")]
    [InlineData("9,99", "USD")]
    [InlineData("1_000", "USD")]
    [InlineData("1'000", "USD")]
    [InlineData(".", "USD")]
    [InlineData(".99", "USD")]
    [InlineData("9.", "USD")]
    [InlineData("9.", "JPY")]
    [InlineData("9..9", "USD")]
    [InlineData("9.9.9", "USD")]
    [InlineData("0x10", "USD")]
    [InlineData("$9.99", "USD")]
    [InlineData("9.99 USD", "USD")]
    [InlineData("(9.99)", "USD")]
    [InlineData("NaN", "USD")]
    [InlineData("Infinity", "USD")]
    [InlineData("\u0661\u0662", "USD")]
    [InlineData("\uff19.99", "USD")]
    [InlineData("9.999", "USD")]
    [InlineData("9.9900000001", "USD")]
    [InlineData("1500.5", "JPY")]
    [InlineData("1500.01", "JPY")]
    [InlineData("1.2345", "KWD")]
    [InlineData("92233720368547758.08", "USD")]
    [InlineData("9223372036854775808", "JPY")]
    [InlineData("9223372036854775807", "USD")]
    [InlineData("99999999999999999999999999999999999999", "JPY")]
    public void What_is_not_a_plain_decimal_of_the_currency_is_refused(string? text, string currency)
    {
        Assert.False(Money.TryParse(text, Known(currency), out var money));
        Assert.Equal(default, money);
    }

    [Theory]
    [InlineData(0, "JPY", "0")]
    [InlineData(0, "USD", "0.00")]
    [InlineData(0, "KWD", "0.000")]
    [InlineData(0, "CLF", "0.0000")]
    [InlineData(5, "JPY", "5")]
    [InlineData(5, "USD", "0.05")]
    [InlineData(5, "KWD", "0.005")]
    [InlineData(5, "CLF", "0.0005")]
    [InlineData(999, "USD", "9.99")]
    [InlineData(1500, "JPY", "1500")]
    [InlineData(1000, "KWD", "1.000")]
    [InlineData(1_234_567, "USD", "12345.67")]
    [InlineData(long.MaxValue, "USD", "92233720368547758.07")]
    [InlineData(long.MaxValue, "CLF", "922337203685477.5807")]
    public void An_amount_has_exactly_the_decimals_of_its_currency(long minor, string currency, string amount) =>
        Assert.Equal(amount, new Money(minor, Known(currency)).Amount);

    [Fact]
    public void Every_amount_reads_back_as_the_same_money()
    {
        var moneys =
            from currency in Gen.Elements("JPY", "USD", "KWD", "CLF").Select(Known)
            from magnitude in Gen.Choose(0, 62)
            from bits in ArbMap.Default.GeneratorFor<long>()
            select new Money((bits & long.MaxValue) >> magnitude, currency);

        Prop.ForAll(moneys.ToArbitrary(), money =>
                Money.TryParse(money.Amount, money.Currency, out var same) && same == money
                && decimal.Parse(money.Amount, CultureInfo.InvariantCulture) == money.AmountMinor * PowerOfTenth(money.Currency.Exponent))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    [Fact]
    public void Reading_agrees_with_exact_decimal_arithmetic()
    {
        var cases =
            from currency in Gen.Elements("JPY", "USD", "KWD", "CLF").Select(Known)
            from whole in Gen.Choose(0, 100_000_000)
            from decimals in Gen.Elements('0', '0', '0', '1', '9').ListOf(6).Select(digits => string.Concat(digits))
            from length in Gen.Choose(1, 6)
            select (currency, text: whole.ToString(CultureInfo.InvariantCulture) + "." + decimals[..length]);

        Prop.ForAll(cases.ToArbitrary(), @case =>
            {
                var exact = decimal.Parse(@case.text, CultureInfo.InvariantCulture) / PowerOfTenth(@case.currency.Exponent);
                return Money.TryParse(@case.text, @case.currency, out var money) == decimal.IsInteger(exact)
                    && money.AmountMinor == (decimal.IsInteger(exact) ? exact : 0);
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    private static decimal PowerOfTenth(int exponent) => new(1, 0, 0, isNegative: false, (byte)exponent);

    private static Currency Known(string code) => Currency.TryGet(code, out var currency) ? currency : throw new ArgumentException($"{code} is not known.", nameof(code));
}
