using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// One metric of a <c>Server-Timing</c> header (W3C Server Timing). Read more strictly than a browser does: what is not of the
/// grammar, and a duration that is no number of milliseconds, is a <see cref="FormatException"/>.
/// </summary>
/// <param name="Name">The metric's name.</param>
/// <param name="Duration">The parameter <c>dur</c>, which counts milliseconds.</param>
/// <param name="Description">The parameter <c>desc</c>.</param>
internal sealed partial record ServerTiming(string Name, TimeSpan? Duration, string? Description)
{
    /// <summary>All metrics of a header, in its order. A name may come more than once.</summary>
    public static IReadOnlyList<ServerTiming> Parse(string header)
    {
        var metrics = new List<ServerTiming>();
        var rest = 0;
        while (rest < header.Length)
        {
            var match = Element().Match(header, rest);
            if (!match.Success)
            {
                throw new FormatException($"Not a Server-Timing header from character {rest} on: {header}");
            }

            rest += match.Length;
            if (match.Groups["name"].Success)
            {
                metrics.Add(Read(match));
            }
        }

        return metrics;
    }

    private static ServerTiming Read(Match match)
    {
        // Parameter names are compared without regard to case; of a repeated one the first counts, and unknown ones are allowed.
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in match.Groups["parameter"].Captures.Zip(match.Groups["value"].Captures))
        {
            parameters.TryAdd(name.Value, value.Value is ['"', ..] ? Escape().Replace(value.Value[1..^1], "${character}") : value.Value);
        }

        return new ServerTiming(
            match.Groups["name"].Value,
            parameters.TryGetValue("dur", out var milliseconds) ? ReadDuration(milliseconds) : null,
            parameters.GetValueOrDefault("desc"));
    }

    private static TimeSpan ReadDuration(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var milliseconds)
        && milliseconds < TimeSpan.MaxValue.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new FormatException($"Not a duration in milliseconds: {text}");

    /// <summary>An element of the list, which may be empty (RFC 9110, section 5.6.1), with the comma after it.</summary>
    [GeneratedRegex(
        """
        \G[ \t]*
        (
          (?<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)
          (
            [ \t]*;[ \t]*(?<parameter>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)
            [ \t]*=[ \t]*(?<value>[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"([^"\\\x00-\x08\x0A-\x1F\x7F]|\\[^\x00-\x08\x0A-\x1F\x7F])*")
          )*
          [ \t]*
        )?
        (,|\z)
        """,
        RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Element();

    [GeneratedRegex(@"\\(?<character>.)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Escape();
}
