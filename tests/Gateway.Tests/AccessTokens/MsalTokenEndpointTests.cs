using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Gateway.AccessTokens;

namespace Gateway.Tests.AccessTokens;

/// <summary>Whatever RFC 6749 lets a server say: a token if there is one, through MSAL as it is.</summary>
public sealed class MsalTokenEndpointTests
{
    private static int _servers;

    [Theory]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3600}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"BEARER","expires_in":3600}""", 3600)]
    [InlineData("""{"access_token":"t","expires_in":3600}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":null,"expires_in":3600}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3599.7}""", 3599)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":"3600"}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":"3599.7"}""", 3599)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3.6e3}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":null}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer"}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":"soon"}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":-5}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":0}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":{}}""", 60)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":1e300}""", 30 * 24 * 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":99999999999999999999}""", 30 * 24 * 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3600,"scope":["openid","a"]}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3600,"scope":7}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3600,"id_token":"not-a-jwt"}""", 3600)]
    [InlineData("""{"access_token":"t","token_type":"bearer","expires_in":3600,"id_token":{"a":[]},"refresh_in":"x","ext_expires_in":[],"client_info":"%"}""", 3600)]
    [InlineData("\uFEFF{\"access_token\":\"t\",\"token_type\":\"bearer\",\"expires_in\":3600}", 3600)]
    public async Task A_response_with_a_token_gives_it(string body, int seconds)
    {
        var (issued, _) = await AskAsync(Discovered, body);

        Assert.Equal("t", issued!.Value);
        Assert.InRange(issued.Life, TimeSpan.FromSeconds(seconds - 5), TimeSpan.FromSeconds(seconds + 1));
    }

    [Theory]
    [InlineData("""{"token_type":"bearer","expires_in":3600}""")]
    [InlineData("""{"access_token":"","token_type":"bearer"}""")]
    [InlineData("""{"access_token":7,"token_type":"bearer"}""")]
    [InlineData("""{"access_token":"t","token_type":"mac","expires_in":3600}""")]
    [InlineData("""{"access_token":"t","token_type":["bearer"],"expires_in":3600}""")]
    [InlineData("""["access_token","t"]""")]
    [InlineData("""{"access_token":"t"}{"access_token":"u"}""")]
    [InlineData("<html>t</html>")]
    [InlineData("")]
    public async Task A_response_without_one_gives_none_and_what_it_said_is_nowhere(string body)
    {
        var (issued, log) = await AskAsync(Discovered, body);

        Assert.Null(issued);
        Assert.StartsWith("The token endpoint gave no token (", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_told_by_its_code_alone()
    {
        var (issued, log) = await AskAsync(Discovered, """{"error":"invalid_client","error_description":"the-servers-own-text"}""", HttpStatusCode.Unauthorized);

        Assert.Null(issued);
        Assert.Equal("The token endpoint answered 401 (invalid_client)", Assert.Single(log));
    }

    [Theory]
    [InlineData(4000, 1000, 3600, 3000)]
    [InlineData(4000, 1000, 60, 60)]
    [InlineData(1000, 4000, 3600, 3600)]
    public async Task A_JWT_that_says_it_lives_shorter_is_believed_by_the_clock_that_issued_it(long expires, long issuedAt, int said, int seconds)
    {
        var token = $"e30.{Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"exp":{{expires}},"iat":{{issuedAt}}}""")).TrimEnd('=').Replace('+', '-').Replace('/', '_')}.c2ln";

        var (issued, _) = await AskAsync(Discovered, $$"""{"access_token":"{{token}}","token_type":"bearer","expires_in":{{said}}}""");

        Assert.InRange(issued!.Life, TimeSpan.FromSeconds(seconds - 5), TimeSpan.FromSeconds(seconds + 1));
    }

    [Theory]
    [InlineData("""{"issuer":"https://elsewhere.example/","authorization_endpoint":"https://elsewhere.example/a","token_endpoint":"https://elsewhere.example/t"}""", true)]
    [InlineData("""{"token_endpoint":"https://elsewhere.example/t"}""", true)]
    [InlineData("""{"issuer":7,"token_endpoint":"https://elsewhere.example/t","x":[]}""", true)]
    [InlineData("""{"issuer":"https://elsewhere.example/","token_endpoint":"http://elsewhere.example/t"}""", false)]
    [InlineData("""{"issuer":"https://elsewhere.example/"}""", false)]
    [InlineData("<html></html>", false)]
    public async Task A_discovery_document_needs_no_more_than_an_https_token_endpoint(string document, bool isEnough)
    {
        var (issued, _) = await AskAsync(Discovered, discovery: document);

        Assert.Equal(isEnough, issued is not null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_a_token_endpoint_and_by_default_nothing_is_discovered(bool isDefault)
    {
        var asked = new List<string>();
        var options = isDefault ? Credentials(new AccessTokensOptions()) : Credentials(new AccessTokensOptions { TokenEndpoint = new Uri($"https://s{Interlocked.Increment(ref _servers)}.example/a/token") });
        using var server = new Server(request =>
        {
            asked.Add($"{request.Method} {request.RequestUri}");
            return Answer(HttpStatusCode.OK, """{"access_token":"t","token_type":"bearer","expires_in":3600}""");
        });
        using var endpoint = new MsalTokenEndpoint(() => options, TimeProvider.System, new LogRecorder<MsalTokenEndpoint>(), server);

        Assert.NotNull(await endpoint.RequestAsync(TestContext.Current.CancellationToken));
        Assert.Equal([$"POST {(isDefault ? "https://oauth.prestashop.com/oauth2/token" : options.TokenEndpoint)}"], asked);
    }

    /// <summary>Against counting: any number, spelt in any way, is that many whole seconds within bounds; anything else is none.</summary>
    [Fact]
    public void Any_spelling_of_a_number_is_that_number()
    {
        var spellings = Gen.Elements<Func<double, string>>(
            number => number.ToString("R", CultureInfo.InvariantCulture), number => number.ToString("E16", CultureInfo.InvariantCulture), number => number.ToString("F3", CultureInfo.InvariantCulture));
        var cases =
            from number in Gen.Choose(-10_000, 100_000_000)
            from part in Gen.Choose(0, 999)
            from spell in spellings
            from quote in Gen.Elements(string.Empty, "\"")
            let value = number + (part / 1000.0)
            select (Value: value, Text: quote + spell(value) + quote);
        Prop.ForAll(Arb.From(cases), one =>
        {
            using var response = JsonDocument.Parse($$"""{"expires_in":{{one.Text}}}""");
            var read = TokenServerHandler.ExpiresIn(response.RootElement);
            return one.Value < 1 ? read is null : Math.Abs(read!.Value.TotalSeconds - Math.Min(Math.Floor(one.Value), TokenServerHandler.LongestLife.TotalSeconds)) < 1.001;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }

    /// <summary>A server of its own each time: MSAL remembers what it learnt of an authority.</summary>
    private static AccessTokensOptions Discovered => Credentials(new AccessTokensOptions { Authority = new Uri($"https://s{Interlocked.Increment(ref _servers)}.example/") });

    private static AccessTokensOptions Credentials(AccessTokensOptions options)
    {
        (options.ClientId, options.ClientSecret) = ("id", "secret");
        return options;
    }

    private static async Task<(IssuedToken? Issued, IReadOnlyList<string> Log)> AskAsync(
        AccessTokensOptions options, string body = """{"access_token":"t","token_type":"bearer","expires_in":3600}""", HttpStatusCode status = HttpStatusCode.OK, string? discovery = null)
    {
        discovery ??= $$"""{"issuer":"{{options.Authority}}","authorization_endpoint":"{{options.Authority}}a","token_endpoint":"{{options.Authority}}t"}""";
        using var server = new Server(request => request.Method == HttpMethod.Get ? Answer(HttpStatusCode.OK, discovery) : Answer(status, body));
        var log = new LogRecorder<MsalTokenEndpoint>();
        using var endpoint = new MsalTokenEndpoint(() => options, TimeProvider.System, log, server);
        return (await endpoint.RequestAsync(TestContext.Current.CancellationToken), [.. log.Lines.Select(line => line.Text)]);
    }

    private static HttpResponseMessage Answer(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, Encoding.UTF8, "text/plain") };

    private sealed class Server(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = answer(request);
            response.RequestMessage = request;
            return Task.FromResult(response);
        }
    }
}
