using System.Globalization;
using System.Text;

namespace Gateway.Tests.Fuzzing;

/// <summary>
/// Inputs as text that a line of a file or a report can hold. A case is a string; where bytes are asked for, a character below 256 is
/// that byte and a larger one is its UTF-8.
/// </summary>
internal static class FuzzText
{
    /// <summary>Printable ASCII as it is; the rest as <c>\\</c>, <c>\n</c>, <c>\r</c>, <c>\t</c>, <c>\xNN</c>, <c>\uNNNN</c>.</summary>
    public static string Escape(string text)
    {
        var line = new StringBuilder();
        foreach (var c in text)
        {
            _ = c switch
            {
                '\\' => line.Append(@"\\"),
                '\n' => line.Append(@"\n"),
                '\r' => line.Append(@"\r"),
                '\t' => line.Append(@"\t"),
                >= ' ' and <= '~' => line.Append(c),
                < (char)256 => line.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}"),
                _ => line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
            };
        }

        return line.ToString();
    }

    public static string Unescape(string line)
    {
        var text = new StringBuilder();
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != '\\')
            {
                text.Append(line[i]);
                continue;
            }

            i++;
            var digits = line[i] switch { 'x' => 2, 'u' => 4, _ => 0 };
            text.Append(digits > 0
                ? (char)int.Parse(line.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : line[i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', _ => line[i] });
            i += digits;
        }

        return text.ToString();
    }

    public static byte[] Bytes(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u00FF'))
        {
            return Encoding.Latin1.GetBytes(text);
        }

        var bytes = new List<byte>(text.Length * 2);
        foreach (var rune in text.EnumerateRunes())
        {
            bytes.AddRange(rune.Value < 256 ? [(byte)rune.Value] : Encoding.UTF8.GetBytes(rune.ToString()));
        }

        return [.. bytes];
    }

    /// <summary>The other way round: each byte a character.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
