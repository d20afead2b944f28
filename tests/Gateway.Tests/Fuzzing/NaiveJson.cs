using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Fuzzing;

/// <summary>The vendors' loose values read from a parsed document, by the words of the contract and by other means than the product's.</summary>
internal static partial class NaiveJson
{
    /// <summary>A string or the digits of a number; empty is null.</summary>
    public static (bool Read, string? Value) Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => (true, null),
        JsonValueKind.Number => (true, value.GetRawText()),
        _ => String(value) is (true, var text) ? (true, string.IsNullOrEmpty(text) ? null : text) : default,
    };

    /// <summary>A whole number in either spelling.</summary>
    public static (bool Read, long? Value) Integer(JsonElement value) => Text(value) switch
    {
        (false, _) => (false, null),
        (true, null) => (true, null),
        (true, { } text) => Whole().IsMatch(text) && BigInteger.Parse(text.Split('.')[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) is var number
            && number >= long.MinValue && number <= long.MaxValue
            ? (true, (long?)number)
            : (false, null),
    };

    /// <summary>Yes or no in any spelling.</summary>
    public static (bool Read, bool? Value) Flag(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => (true, null),
        JsonValueKind.True => (true, true),
        JsonValueKind.False => (true, false),
        JsonValueKind.Number => value.GetRawText() switch { "1" => (true, true), "0" => (true, false), _ => (false, null) },
        _ => String(value) switch
        {
            (true, "") => (true, null),
            (true, "1" or "true") => (true, true),
            (true, "0" or "false") => (true, false),
            _ => (false, null),
        },
    };

    /// <summary>A string of real characters, or null.</summary>
    public static (bool Read, string? Value) StringOrNull(JsonElement value) => value.ValueKind == JsonValueKind.Null ? (true, null) : String(value);

    /// <summary>Whether every name and every string in it is made of real characters.</summary>
    public static bool IsText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => String(value).Read,
        JsonValueKind.Array => value.EnumerateArray().All(IsText),
        JsonValueKind.Object => value.EnumerateObject().All(property => Name(property) is not null && IsText(property.Value)),
        _ => true,
    };

    /// <summary>Null if it is not made of real characters.</summary>
    public static string? Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static (bool Read, string? Value) String(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? (true, value.GetString()) : default;
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }

    [GeneratedRegex(@"\A[+-]?[0-9]+(\.0+)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex Whole();
}
