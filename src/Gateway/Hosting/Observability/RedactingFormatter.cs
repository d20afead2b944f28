using System.Globalization;
using System.Text.RegularExpressions;
using Serilog.Events;
using Serilog.Formatting;

namespace Gateway.Hosting.Observability;

/// <summary>
/// The net under the rule that nothing secret is logged: takes out of a finished line, message, property and exception alike, what
/// looks like a credential. Nothing of ours should ever need it; libraries at their most talkative might.
/// </summary>
internal sealed partial class RedactingFormatter(ITextFormatter inner) : ITextFormatter
{
    private const string Redacted = "[redacted]";

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        inner.Format(logEvent, line);
        output.Write(Redact(line.ToString()));
    }

    public static string Redact(string line) => Credentials().Replace(line, Redacted);

    /// <summary>
    /// In order: query and form parameters (Paymentwall's <c>key</c> and <c>sign</c>, OAuth's secrets and tokens), authorization
    /// header values, the password of a Redis connection string, and anything that has the form of a JSON Web Token.
    /// </summary>
    [GeneratedRegex(
        """(?<=(?:^|[?&\s"',;{(])(?:key|sign|access_token|client_secret|refresh_token|client_assertion|password)=)[^&\s"',;)}]+|(?<=\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=%-]{6,}|(?<=X-Api-Key"?:\s*\[?"?)[^"\s\],}]+|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Credentials();
}
