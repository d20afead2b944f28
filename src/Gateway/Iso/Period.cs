using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Gateway.Iso;

/// <summary>A calendar period, such as a billing period or a trial.</summary>
/// <param name="Unit"><c>day</c>, <c>week</c>, <c>month</c> or <c>year</c>.</param>
/// <param name="Count">How many units, at least 1.</param>
/// <param name="Iso">The same as an ISO 8601 duration: <c>P10D</c>, <c>P1W</c>, <c>P1M</c>, <c>P1Y</c>.</param>
internal sealed record Period(string Unit, int Count, string Iso)
{
    /// <summary>The units that both vendors use.</summary>
    public static IReadOnlyList<string> Units { get; } = ["day", "week", "month", "year"];

    public static bool TryCreate(string? unit, long count, [NotNullWhen(true)] out Period? period)
    {
        period = null;
        if (unit is null || Units.FirstOrDefault(known => IsSpelling(unit, known)) is not { } name || count is < 1 or > 10_000)
        {
            return false;
        }

        var designator = char.ToUpperInvariant(name[0]);
        period = new Period(name, (int)count, string.Create(CultureInfo.InvariantCulture, $"P{count}{designator}"));
        return true;
    }

    /// <summary>In any case, and in the plural: <c>Months</c>.</summary>
    private static bool IsSpelling(string text, string unit) =>
        text.StartsWith(unit, StringComparison.OrdinalIgnoreCase) && (text.Length == unit.Length || text.AsSpan(unit.Length) is "s" or "S");
}
