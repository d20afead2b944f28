namespace Gateway.FunctionalTests.Oracle;

/// <summary>What a storefront asks; null, or empty, is what it does not say.</summary>
internal sealed record OracleQuestion(
    IReadOnlyList<string> Products, string? Country, string? Language, string? Sandbox, IReadOnlyList<string> Types, IReadOnlyList<string> Periods, string? Prices)
{
    public string Path => "/catalog?product=" + string.Join(',', Products)
        + Parameter("country", Country) + Parameter("lang", Language) + Parameter("sandbox", Sandbox)
        + Parameter("type", Types.Count > 0 ? string.Join(',', Types) : null)
        + Parameter("period", Periods.Count > 0 ? string.Join(',', Periods) : null)
        + Parameter("prices", Prices);

    private static string Parameter(string name, string? value) => value is null ? string.Empty : $"&{name}={value}";
}
