using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Iso;

/// <summary>ISO 4217: a currency's code and its exponent, the number of decimals of its minor unit (USD 2, JPY 0, KWD 3).</summary>
/// <remarks>Codes without a minor unit (metals, XDR, XTS, XXX) are not money that one can be charged in, and are left out.</remarks>
internal sealed record Currency(string Code, int Exponent)
{
    private static readonly FrozenDictionary<string, Currency> Known = Table(
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (2, "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE " +
            "CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD " +
            "HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP " +
            "MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR " +
            "SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED " +
            "VES WST XCD XCG YER ZAR ZMW ZWG ZWL"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"));

    public static bool TryGet(string? code, [NotNullWhen(true)] out Currency? currency)
    {
        currency = null;
        return code is not null && Known.TryGetValue(code, out currency);
    }

    private static FrozenDictionary<string, Currency> Table(params (int Exponent, string Codes)[] rows) =>
        rows.SelectMany(row => row.Codes.Split(' ').Select(code => new Currency(code, row.Exponent)))
            .ToFrozenDictionary(currency => currency.Code, StringComparer.OrdinalIgnoreCase);
}
