using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;
using Serilog.Events;
using Serilog.Formatting;

namespace Gateway.Observability;

/// <summary>
/// The net under the rule that nothing secret is logged: takes out of a finished line, message, property and exception alike, what
/// looks like a credential. Nothing of ours should ever need it; libraries at their most talkative might. A line of JSON stays one.
/// </summary>
internal sealed partial class RedactingFormatter(ITextFormatter inner) : ITextFormatter
{
    private const string Redacted = "[redacted]";

    /// <summary>Instead of a line that took too long to search; with quotes, so that it can be read as JSON too.</summary>
    internal const string Withheld = "\"[a log line was withheld: it could not be searched for credentials in time]\"\n";

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        inner.Format(logEvent, line);
        output.Write(Redact(line.ToString()));
    }

    public static string Redact(string line) => line.AsSpan().ContainsAny(Marks) ? Redact(line, TakeOut) : line;

    private static string TakeOut(string line) => Credentials().Replace(line, Redacted);

    /// <summary>
    /// Without one of these no line has anything to take out. Nearly all have none, and the search for them costs a hundredth of the
    /// other.
    /// </summary>
    private static readonly SearchValues<string> Marks = SearchValues.Create(
        [
            "key=", "key%3D", "sign=", "sign%3D", "sign\"", "sign\\", "token", "secret", "assertion", "EncryptionKey", "password", "pwd", "Bearer", "Basic",
            "X-Api-Key", "Authorization", "://", "eyJ",
        ],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The time is the clock's and not the processor's: the first search of a process, which compiles the pattern, has been seen to
    /// pass it on a machine that was starting several at once. So a line is only withheld after a second try.
    /// </summary>
    internal static string Redact(string line, Func<string, string> takeOut)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return takeOut(line);
            }
            catch (RegexMatchTimeoutException) when (attempt == 1)
            {
                // Again.
            }
            catch (RegexMatchTimeoutException)
            {
                return Withheld;
            }
        }
    }

    // What stands before a credential, and then the credential. A line may be JSON, and hold JSON: quotes and line breaks come as \" and
    // \n, or with more backslashes. They end a value and are left alone, or what is left would be no JSON.
    [GeneratedRegex(
        """
        # A query or form, also inside JSON (\u0026) or encoded (%26): Paymentwall's key and sign, OAuth's secrets and tokens
          (?<= (?: ^ | [?&\s"',;{(\[] | %3F | %26 | %20 | \\u0026 | \\[nrt] )
               (?: key | sign | token | secret | (?:access|refresh|id)_token | client_(?:secret|assertion) | api[_-]?key ) (?: = | %3D ) )
          (?: (?>\\+)(?!["nrt]) | [^\\&\s"',;)}] )+

        # A setting of ours; the password of a connection string, which may have any character but a comma
        | (?<= (?: ClientSecret | SecretKey | EncryptionKey ) = ) (?: (?>\\+)(?!["nrt]) | [^\\\s"] )+
        | (?<= (?<![A-Za-z]) (?: password | pwd ) \s{0,3} = \s{0,3} ) (?: (?>\\+)(?!["nrt]) | [^\\\s",] )+

        # JSON
        | (?<= " (?: sign | password | (?:access|refresh|id)_token | client_?secret | client_assertion | SecretKey | EncryptionKey ) \\{0,15}"
               \s{0,3} : \s{0,3} \\{0,15}" )
          (?: (?>\\+)(?!") | [^\\"] )+

        # Headers
        | (?<= (?: (?<![A-Za-z0-9]) | \\[nrt] | %20 | %3A ) (?: Bearer | Basic ) (?: \s{1,3} | %20 | \+ ) ) [A-Za-z0-9._~+/=%-]{6,}
        | (?<= (?: X-Api-Key | Authorization ) (?: \\{0,15}" )? \s? (?: : | = | %3A ) (?: \s | %20 ){0,3} \[? (?: \\{0,15}" )? )
          (?: (?>\\+)(?!["nrt]) | [^\\"\s\],}\[] )+
        | (?<= \[X-Api-Key,\s ) (?: (?>\\+)(?!["nrt]) | [^\\"\s\],}] )+

        # The password in an address
        | (?<= :// [^/\s:@"']{0,256} : ) [^/\s@"']{1,256} (?= @ )

        # A JSON Web Token
        | (?: (?<![A-Za-z0-9]) | (?<= \\[nrt] | %20 | %22 | %3A | %3D ) )
          (?-i:eyJ) (?> [A-Za-z0-9_-]{8,} ) \. [A-Za-z0-9_-]+ (?: \. [A-Za-z0-9_-]* )?
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.IgnorePatternWhitespace,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Credentials();
}
