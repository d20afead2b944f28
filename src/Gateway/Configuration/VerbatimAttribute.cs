using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>
/// An option that is sent or compared as it stands. What people paste around such a value (quotes, a line end, blanks, a byte order mark) is
/// part of it to every reader, and no system behind the gateway says so: it says "wrong". So that is an error here; blanks inside are none.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class VerbatimAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => Defect(value as string) is null;

    /// <summary>What is wrong and how it is mended, without the value; null if nothing is.</summary>
    public static string? Defect(string? value) => value switch
    {
        null or "" => null,
        [.., '\r'] or [.., '\n'] => "ends with a line end; remove it (a file with Windows line ends?).",
        _ when value.Any(char.IsControl) => "has a line end or another control character in it (several lines, or a file in UTF-16?); give the value alone, in UTF-8.",
        _ when value.AsSpan().ContainsAny('\uFEFF', '\uFFFD') => "has a byte order mark or bytes that are no UTF-8 in it; save it as UTF-8 without one.",
        _ when char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1]) => "begins or ends with a blank; remove it.",
        ['"', .., '"'] or ['\'', .., '\''] => "stands in quotes, which neither docker --env-file nor a secret file takes off; remove them.",
        _ => null,
    };
}
