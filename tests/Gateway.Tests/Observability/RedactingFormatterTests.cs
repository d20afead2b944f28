using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Observability;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace Gateway.Tests.Observability;

public sealed class RedactingFormatterTests
{
    private const string Secret = "s3cr3t-Value.9";
    private const string Jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.c2lnbmF0dXJl_-X";

    [Theory]

    // Queries and forms
    [InlineData("GET https://api.example/api/rest/product?key=SECRET&sign_version=3&sign=SECRET")]
    [InlineData("?sign=SECRET")]
    [InlineData("key=SECRET")]
    [InlineData("KEY=SECRET")]
    [InlineData("grant_type=client_credentials&client_id=shop&client_secret=SECRET&audience=x")]
    [InlineData("refresh_token=SECRET")]
    [InlineData("access_token=SECRET")]
    [InlineData("id_token=SECRET")]
    [InlineData("client_assertion=SECRET")]
    [InlineData("?a=1\\u0026key=SECRET\\u0026sign=SECRET")]
    [InlineData("callback?to=https%3A%2F%2Fapi.example%2F%3Fkey%3DSECRET%26sign%3DSECRET")]
    [InlineData("client_secret%3dSECRET")]
    [InlineData("line one\\nkey=SECRET")]
    [InlineData("line one\nkey=SECRET")]

    // JSON
    [InlineData("""{"access_token":"SECRET","expires_in":300}""")]
    [InlineData("""{"client_secret" : "SECRET"}""")]
    [InlineData("""{\"access_token\":\"SECRET\",\"expires_in\":300}""")]
    [InlineData("""{"ClientSecret":"SECRET"}""")]
    [InlineData("""{"password":"SECRET"}""")]
    [InlineData("""{"refresh_token":"SECRET"}""")]
    [InlineData("""{"sign":"SECRET"}""")]

    // Headers
    [InlineData("Authorization: Bearer SECRET")]
    [InlineData("authorization: bearer SECRET")]
    [InlineData("Authorization: Basic czNjcjN0LVZhbHVlLjk6eA==")]
    [InlineData("""{"Authorization":["Bearer SECRET"]}""")]
    [InlineData("Authorization: SECRET")]
    [InlineData("Authorization%3A%20Bearer%20SECRET")]
    [InlineData("Accept: */*\\r\\nBearer SECRET")]
    [InlineData("X-Api-Key: SECRET")]
    [InlineData("x-api-key:SECRET")]
    [InlineData("""{"X-Api-Key":"SECRET"}""")]
    [InlineData("""{"X-Api-Key":["SECRET"]}""")]
    [InlineData("""{\"X-Api-Key\":[\"SECRET\"]}""")]
    [InlineData("X-Api-Key=SECRET")]
    [InlineData("[X-Api-Key, SECRET]")]

    // Connection strings and addresses
    [InlineData("redis:6379,password=SECRET,ssl=true")]
    [InlineData("redis:6379,Password = SECRET,ssl=true")]
    [InlineData("redis:6379,user=gateway,password=p&ss;w)rd}SECRET,ssl=true")]
    [InlineData("redis://gateway:SECRET@redis:6379/0")]
    [InlineData("https://user:SECRET@proxy.example:3128")]

    // The environment
    [InlineData("AccessTokens__ClientSecret=SECRET")]
    [InlineData("--AccessTokens:ClientSecret=SECRET")]
    [InlineData("Paymentwall:SecretKey=SECRET")]
    [InlineData("AccessTokens__EncryptionKey=SECRET")]

    // Exceptions
    [InlineData("System.Net.Http.HttpRequestException: GET 'https://api.example/?key=SECRET' failed\\n   at Gateway.X()")]
    [InlineData("System.Exception: \\\"Bearer SECRET\\\" was refused")]
    [InlineData("StackExchange.Redis.RedisConnectionException: WRONGPASS (password=SECRET)")]
    public void A_credential_is_taken_out(string line)
    {
        var redacted = RedactingFormatter.Redact(line.Replace("SECRET", Secret, StringComparison.Ordinal));

        Assert.DoesNotContain("s3cr3t", redacted, StringComparison.Ordinal);
        Assert.DoesNotContain("Value.9", redacted, StringComparison.Ordinal);
        Assert.DoesNotContain("czNjcjN0", redacted, StringComparison.Ordinal);
        Assert.Contains("[redacted]", redacted, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token JWT refused")]
    [InlineData("token:JWT")]
    [InlineData("token_JWT")]
    [InlineData("[JWT]")]
    [InlineData("\\nJWT")]
    [InlineData("\\tJWT")]
    [InlineData("%20JWT")]
    [InlineData("""{"token":"JWT"}""")]
    [InlineData("""{\"token\":\"JWT\"}""")]
    [InlineData("https://api.example/JWT/x")]
    public void A_json_web_token_is_taken_out_wherever_it_stands(string line)
    {
        var redacted = RedactingFormatter.Redact(line.Replace("JWT", Jwt, StringComparison.Ordinal));

        Assert.DoesNotContain("eyJ", redacted, StringComparison.Ordinal);
        Assert.DoesNotContain("c2lnbmF0dXJl", redacted, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("monkey=banana")]
    [InlineData("?monkey=banana&turkey=2&design=new&assign=1")]
    [InlineData("GET /catalog?product=builtfor_example&country=JP")]
    [InlineData("sku builtfor_example-pro-EUR-monthly, prestashop-key-EUR-monthly")]
    [InlineData("sign up, sign in; the key of the matter")]
    [InlineData("sign_version=3&ag_external_id=x&country_code=JP")]
    [InlineData("monkeyJumpingHigh.picture, keyjournal1234.log, KEYJEWELLERY.example.com")]
    [InlineData("""{"Properties":{"Key":"Catalog:Prodcts","EventId":{"Id":5102}}}""")]
    [InlineData("AccessTokens:ClientSecret: is required.")]
    [InlineData("Paymentwall:SecretKey: is a secret and stands in appsettings.json; give it by the environment.")]
    [InlineData("Redis:ConnectionString: is not a connection string; write host:port, such as redis:6379,ssl=true.")]
    [InlineData("Security:ApiKeys:2:Sha256: must be the SHA-256 of the key")]
    [InlineData("Now listening on: http://[::]:8080")]
    [InlineData("http://localhost:8080/@fs/x")]
    [InlineData("Bearer of bad news")]
    [InlineData("a key that says who it is; a token=")]
    [InlineData("")]
    public void Everything_else_stays_as_it_is(string line) => Assert.Equal(line, RedactingFormatter.Redact(line));

    [Fact]
    public void What_is_around_a_credential_stays()
    {
        Assert.Equal(
            "GET https://api.example/?key=[redacted]&country=JP&sign=[redacted] failed",
            RedactingFormatter.Redact("GET https://api.example/?key=abc&country=JP&sign=def failed"));
        Assert.Equal("redis:6379,password=[redacted],ssl=true", RedactingFormatter.Redact("redis:6379,password=abc,ssl=true"));
        Assert.Equal("""{"access_token":"[redacted]","expires_in":300}""", RedactingFormatter.Redact("""{"access_token":"abc","expires_in":300}"""));
    }

    [Theory]
    [InlineData("GET \"https://api.example/?key=SECRET\" failed")]
    [InlineData("GET \"https://api.example/?sign=SECRET\\\\\" failed")]
    [InlineData("X-Api-Key: \"SECRET\"")]
    [InlineData("{\"access_token\":\"SECRET\"}")]
    [InlineData("password=SECRET\"quoted\"")]
    [InlineData("key=SECRET\nkey=SECRET\tkey=SECRET\\")]
    [InlineData("Bearer SECRET\"")]
    [InlineData("X-Api-Key: SECRET\\\"x")]
    public void A_line_of_json_stays_json(string message)
    {
        var line = Format(new JsonFormatter(renderMessage: true, formatProvider: CultureInfo.InvariantCulture), message.Replace("SECRET", Secret, StringComparison.Ordinal));

        using var json = JsonDocument.Parse(line);
        Assert.DoesNotContain("s3cr3t", line, StringComparison.Ordinal);
        Assert.EndsWith("\n", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Catastrophes))]
    public void A_line_made_to_be_slow_neither_throws_nor_takes_long(string name, string line)
    {
        var started = TimeProvider.System.GetTimestamp();
        var redacted = RedactingFormatter.Redact(line);
        var took = TimeProvider.System.GetElapsedTime(started);

        Assert.NotNull(redacted);
        Assert.True(took < TimeSpan.FromSeconds(1), $"{name}: {took.TotalMilliseconds:0} ms for {line.Length} characters.");
    }

    [Fact]
    public void A_line_that_cannot_be_searched_in_time_is_withheld_and_not_printed()
    {
        var slow = new Regex(@"^(\w|\w\w)+!!", RegexOptions.ExplicitCapture, TimeSpan.FromMilliseconds(1));

        var line = RedactingFormatter.Redact(new string('a', 40) + "! key=" + Secret, text => slow.Replace(text, ""));

        Assert.Equal(RedactingFormatter.Withheld, line);
        Assert.Equal(JsonValueKind.String, JsonDocument.Parse(line).RootElement.ValueKind);
    }

    [Fact]
    public void A_line_is_searched_again_if_the_machine_was_too_busy_the_first_time()
    {
        var searches = 0;

        var line = RedactingFormatter.Redact("Now listening on: http://127.0.0.1:8080", text => ++searches == 1 ? throw new RegexMatchTimeoutException() : text);

        Assert.Equal("Now listening on: http://127.0.0.1:8080", line);
    }

    public static TheoryData<string, string> Catastrophes() => new()
    {
        { "one word", new string('a', 100_000) },
        { "blanks", new string(' ', 100_000) },
        { "Bearer and blanks", "Bearer" + new string(' ', 100_000) },
        { "many Bearers", Repeat("Bearer ") },
        { "Bearer, blanks and letters", "Bearer" + Repeat(" a") },
        { "tokens without an end", Repeat("eyJabcdefgh-") },
        { "one token without an end", "eyJ" + new string('a', 100_000) },
        { "tokens without a dot", Repeat("eyJabcdefgh ") },
        { "keys without values", Repeat("key=") },
        { "keys in keys", Repeat("?key=&key=key=") },
        { "addresses", Repeat("://a:") },
        { "addresses without users", "://" + new string('a', 100_000) },
        { "colons", "://" + Repeat(":a") },
        { "quotes", Repeat("\"X-Api-Key\":[\"") },
        { "backslashes", "key=" + new string('\\', 100_000) },
        { "percents", Repeat("%3D%26%3F") },
        { "signs", Repeat("sign sign= ") },
        { "headers", "Authorization:" + new string(' ', 100_000) },
        { "passwords", "password" + new string(' ', 100_000) },
        { "many passwords", Repeat("password   ") },
    };

    private static string Repeat(string part) => string.Concat(Enumerable.Repeat(part, 100_000 / part.Length));

    private static string Format(ITextFormatter inner, string message)
    {
        var logEvent = new LogEvent(
            new TestClock().GetUtcNow(), LogEventLevel.Error, new InvalidOperationException(message),
            new MessageTemplateParser().Parse("{What} happened"), [new LogEventProperty("What", new ScalarValue(message))]);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        new RedactingFormatter(inner).Format(logEvent, output);
        return output.ToString();
    }
}
