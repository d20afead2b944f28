using System.Text;

namespace Gateway.Tests.Fuzzing;

/// <summary>
/// Makes inputs of other inputs: flips bits, splices, doubles, deletes, swaps, nests, and puts in what the target's grammar is made of,
/// numbers at the edges and characters that look like others. The same random numbers make the same inputs.
/// </summary>
/// <param name="random">Where the choices come from.</param>
/// <param name="dictionary">Pieces of the target's grammar.</param>
/// <param name="bytes">Whether the target takes bytes: what is put in is then encoded, not always correctly.</param>
internal sealed class FuzzMutator(Random random, IReadOnlyList<string> dictionary, bool bytes)
{
    public const int LongestInput = 16 * 1024;

    private static readonly string[] Numbers =
    [
        "0", "-0", "-1", "1", "00", "0.0", "0.00", "1.", ".5", "+1", "0.1", "0.001", "1.50", "1e2", "1E400", "12.0", "999", "10000", "10001",
        "2147483647", "2147483648", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "92233720368547758.07", "92233720368547758.08", "18446744073709551616", "NaN", "Infinity", "\u0663", "\uFF11",
    ];

    private static readonly string[] Traps =
    [
        "\0", "\r\n", "\t", " ", "\u007F", "\u0085", "\u00A0", "\u200B", "\u202E", "\u2028", "\u2029", "\uFEFF", "\uFFFD", "\uFFFF", "\uD800",
        "\uDC00", "\uD83D\uDE00", "\u0131", "\u0130", "\u017F", "\u212A", "\u00DF", "\u00E9", "e\u0301", "\uFF0F", "\uFF0E", "\uFF05", "\u0660",
        "'", "\"", "\\", "<", ">", "&", "=", "+", "%", "%00", "%2", "%GG", "%25", "%2F", "%C0%AF", "%ED%A0%80", "</script>", ";", "#", "?", ":", ",", ".", "|",
    ];

    /// <summary>UTF-8 that is none: overlong, surrogates, cut off, beyond the last character.</summary>
    private static readonly string[] BadUtf8 = ["\u00C0\u00AF", "\u00ED\u00A0\u0080", "\u00E2\u0082", "\u00FF", "\u00F4\u0090\u0080\u0080", "\u0080", "\u00F0\u0082\u0082\u00AC"];

    /// <summary>Mostly a few changes, now and then none and now and then many.</summary>
    public string Mutate(string text, string other)
    {
        var changes = random.Next(64) switch { 0 => 0, < 40 => 1, < 52 => 2, < 62 => random.Next(3, 6), _ => random.Next(6, 24) };
        for (; changes > 0; changes--)
        {
            text = Change(text, other);
        }

        return text.Length <= LongestInput ? text : text[..LongestInput];
    }

    private string Change(string text, string other)
    {
        var at = random.Next(text.Length + 1);
        var (from, length) = Range(text);
        switch (random.Next(14))
        {
            case 0 when text.Length > 0:
                at = Math.Min(at, text.Length - 1);
                return Replace(text, at, 1, ((char)(text[at] ^ (1 << random.Next(bytes ? 8 : 7)))).ToString());
            case 1 when text.Length > 0:
                at = Math.Min(at, text.Length - 1);
                return Replace(text, at, 1, Trap());
            case 2:
                return text.Insert(at, Trap());
            case 3 or 4 when dictionary.Count > 0:
                return text.Insert(at, Word());
            case 5 when dictionary.Count > 0:
                return Replace(text, from, length, Word());
            case 6:
                return text.Remove(from, length);
            case 7:
                return text.Insert(at, text.Substring(from, length));
            case 8:
                return Splice(text, other);
            case 9:
                return Number(text);
            case 10:
                return Repeat(text, at, from, length);
            case 11:
                var (second, secondLength) = Range(text);
                return second >= from + length
                    ? text[..from] + text.Substring(second, secondLength) + text[(from + length)..second] + text.Substring(from, length) + text[(second + secondLength)..]
                    : text;
            case 12:
                return Replace(text, from, length, random.Next(2) == 0 ? text.Substring(from, length).ToUpperInvariant() : text.Substring(from, length).ToLowerInvariant());
            default:
                return text[..at];
        }
    }

    private (int From, int Length) Range(string text)
    {
        var from = random.Next(text.Length + 1);
        return (from, Math.Min(text.Length - from, random.Next(random.Next(4) == 0 ? 64 : 8)));
    }

    private static string Replace(string text, int at, int length, string with) => string.Concat(text.AsSpan(0, at), with, text.AsSpan(at + length));

    private string Splice(string text, string other)
    {
        var from = random.Next(other.Length + 1);
        var piece = other.Substring(from, random.Next(other.Length - from + 1));
        var at = random.Next(text.Length + 1);
        return random.Next(2) == 0 ? text[..at] + piece : text.Insert(at, piece);
    }

    /// <summary>Another number where there is one; else one somewhere.</summary>
    private string Number(string text)
    {
        var number = Encoded(Numbers[random.Next(Numbers.Length)]);
        var start = text.AsSpan().IndexOfAnyInRange('0', '9');
        for (var skip = random.Next(4); start >= 0 && skip > 0; skip--)
        {
            var next = start + 1;
            while (next < text.Length && char.IsAsciiDigit(text[next]))
            {
                next++;
            }

            var further = text.AsSpan(next).IndexOfAnyInRange('0', '9');
            if (further < 0)
            {
                break;
            }

            start = next + further;
        }

        if (start < 0)
        {
            return text.Insert(random.Next(text.Length + 1), number);
        }

        var end = start;
        while (end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
        {
            end++;
        }

        return Replace(text, start, end - start, number);
    }

    /// <summary>A piece many times over: depth, length, count.</summary>
    private string Repeat(string text, int at, int from, int length)
    {
        var times = random.Next(16) switch { 0 => 2_000, < 4 => random.Next(100, 300), < 8 => random.Next(20, 70), _ => random.Next(2, 8) };
        var piece = random.Next(3) switch { 0 => "[", 1 when dictionary.Count > 0 => Word(), _ => text.Substring(from, length) };
        return piece.Length == 0 || piece.Length * times > LongestInput ? text : text.Insert(at, string.Concat(Enumerable.Repeat(piece, times)));
    }

    private string Word() => dictionary[random.Next(dictionary.Count)];

    private string Trap() => bytes && random.Next(8) == 0 ? BadUtf8[random.Next(BadUtf8.Length)] : Encoded(Traps[random.Next(Traps.Length)]);

    private string Encoded(string text) => bytes ? FuzzText.Of(Encoding.UTF8.GetBytes(text)) : text;
}
