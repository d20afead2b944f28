using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>What a forwarded call may be, how often it is sent, and that the token attached to it never comes back.</summary>
public sealed partial class ForwardedCallTests : IAsyncLifetime
{
    private readonly SemaphoreSlim _goOn = new(0);
    private string _raw = string.Empty;
    private SimulatorProcess _simulator = null!;
    private RawUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _simulator = await SimulatorProcess.StartAsync();
        _upstream = new RawUpstream(AnswerAsync);
        _gateway = await StartGatewayAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();

        // Whoever still hangs, be it because a test failed before it let go: the upstream's end waits for all.
        _goOn.Release(100);
        await _upstream.DisposeAsync();
        await _simulator.DisposeAsync();
        _goOn.Dispose();
    }

    [Theory]
    [InlineData("POST", "", "")]
    [InlineData("PATCH", "", "")]
    [InlineData("POST", "Content-Length: 0\r\n", "")]
    [InlineData("PATCH", "Content-Length: 0\r\n", "")]
    [InlineData("POST", "Content-Type: text/plain\r\n", "")]
    [InlineData("POST", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n")]
    public async Task A_call_that_is_not_idempotent_is_sent_once(string method, string headers, string body)
    {
        await CallAsync("GET /own/warm");

        var answer = await CallAsync($"{method} /own/close", headers, body);

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.Single(_upstream.Received, head => head.StartsWith(method, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task A_call_without_a_body_gets_none_on_its_way(string method)
    {
        Assert.StartsWith("HTTP/1.1 200 ", await CallAsync($"{method} /own/warm"), StringComparison.Ordinal);

        var head = Assert.Single(_upstream.Received);
        Assert.DoesNotContain("Content-Length", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Transfer-Encoding", head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("GET", "Content-Length: 14\r\nContent-Type: application/x-www-form-urlencoded\r\n", "_method=DELETE")]
    [InlineData("HEAD", "Content-Length: 14\r\nContent-Type: application/x-www-form-urlencoded\r\n", "_method=DELETE")]
    [InlineData("GET", "Transfer-Encoding: chunked\r\n", "e\r\n_method=DELETE\r\n0\r\n\r\n")]
    public async Task A_body_on_a_route_that_is_open_without_a_key_is_refused(string method, string headers, string body)
    {
        var answer = await CallAsync($"{method} /open", headers, body);

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        if (method != "HEAD")
        {
            Assert.Contains("\"code\":\"invalidParameter\"", answer, StringComparison.Ordinal);
            Assert.Contains("\"parameter\":\"body\"", answer, StringComparison.Ordinal);
        }

        Assert.Empty(_upstream.Received);
        Assert.StartsWith("HTTP/1.1 200 ", await CallAsync($"{method} /open", "Content-Length: 0\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_on_an_open_route_is_refused_over_HTTP_2_too()
    {
        await using var gateway = await StartGatewayAsync(("Kestrel:EndpointDefaults:Protocols", "Http2"));
        using var client = new HttpClient { BaseAddress = gateway.Address, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/open") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent("_method=DELETE") };

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(_upstream.Received);
        using var plain = await client.GetAsync("/open", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
    }

    [Theory]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    [InlineData("DANCE")]
    [InlineData("post")]
    public async Task A_method_that_is_not_listed_is_not_forwarded(string method)
    {
        var answer = await CallAsync($"{method} /own/echo/header");

        Assert.StartsWith("HTTP/1.1 405 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"methodNotAllowed\"", answer, StringComparison.Ordinal);
        Assert.Empty(_upstream.Received);
    }

    [Fact]
    public async Task An_expectation_that_is_not_100_continue_is_refused()
    {
        Assert.StartsWith("HTTP/1.1 417 ", await CallAsync("GET /own/warm", "Expect: miracles\r\n"), StringComparison.Ordinal);
        Assert.Empty(_upstream.Received);
    }

    [Theory]
    [InlineData("header")]
    [InlineData("reason")]
    [InlineData("body")]
    [InlineData("two-writes")]
    public async Task An_answer_that_begins_with_the_token_attached_to_its_request_is_withheld(string where)
    {
        var answer = await CallAsync($"GET /own/echo/{where}");

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"upstreamRejected\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", answer, StringComparison.Ordinal);
        Assert.Contains("\"@l\":\"Warning\"", await _gateway.LogLineAsync("held the access token"), StringComparison.Ordinal);
        Assert.Single(Withheld().Matches(_gateway.Log));
    }

    [Theory]
    [InlineData("later")]
    [InlineData("events")]
    [InlineData("trailer")]
    public async Task An_answer_that_holds_the_token_later_ends_before_it(string where)
    {
        using var client = new HttpClient { BaseAddress = _gateway.Address };
        client.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.ProxyKey);
        using var response = await client.GetAsync($"/own/echo/{where}", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        _goOn.Release();
        var received = new MemoryStream();

        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(received, TestContext.Current.CancellationToken));

        Assert.DoesNotContain("eyJ", Encoding.Latin1.GetString(received.ToArray()), StringComparison.Ordinal);
        Assert.Contains("\"@l\":\"Warning\"", await _gateway.LogLineAsync("held the access token"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("204 No Content", "PUT")]
    [InlineData("205 Reset Content", "PUT")]
    [InlineData("304 Not Modified", "GET")]
    public async Task An_answer_without_a_body_passes_whatever_length_it_claims(string status, string method)
    {
        _raw = $"HTTP/1.1 {status}\r\nContent-Length: 11\r\nETag: \"a\"\r\n\r\n";

        var answer = await CallAsync($"{method} /own/raw");

        Assert.StartsWith($"HTTP/1.1 {status[..3]} ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nETag: \"a\"\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("attachment; filename=\"caf\u00e9.pdf\"")]
    [InlineData("attachment; filename=\"\u00c3\u00a9\u00e2\u0082\u00ac.pdf\"")]
    public async Task A_header_value_that_is_not_ASCII_passes_byte_for_byte(string value)
    {
        _raw = $"HTTP/1.1 200 OK\r\nContent-Disposition: {value}\r\nContent-Length: 0\r\n\r\n";

        Assert.Contains($"\r\nContent-Disposition: {value}\r\n", await CallAsync("GET /own/raw"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_upstream_says_for_its_own_origin_does_not_become_the_gateways()
    {
        string[] own =
        [
            "Strict-Transport-Security: max-age=1", "NEL: {}", "Report-To: {}", "Reporting-Endpoints: a=\"b\"", "Refresh: 0; url=http://evil/", "Permissions-Policy: camera=()",
            "Content-Security-Policy-Report-Only: default-src 'none'", "Service-Worker-Allowed: /", "Timing-Allow-Origin: *", "Set-Cookie: a=b", "Set-Cookie2: a=b", "Public-Key-Pins: x",
            "Accept-CH: DPR", "Location: http://backend.internal/x", "Content-Location: http://backend.internal/x", "Server: secret/1.0", "X-Powered-By: PHP", "Trailer: X-Later", "Alt-Svc: h3=\":443\"",
        ];
        _raw = $"HTTP/1.1 201 Created\r\n{string.Join("\r\n", own)}\r\nConnection: close, Link\r\nLink: </next>\r\nCache-Control: no-store\r\nRateLimit-Remaining: 7\r\nContent-Length: 0\r\n\r\n";

        var answer = await CallAsync("POST /own/raw");

        Assert.StartsWith("HTTP/1.1 201 ", answer, StringComparison.Ordinal);
        Assert.All(own, header => Assert.DoesNotContain($"\n{header.Split(':')[0]}:", answer, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("\nLink:", answer, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRateLimit-Remaining: 7\r\n", answer, StringComparison.Ordinal);
    }

    /// <summary>The route needs a key, of which the upstream knows nothing.</summary>
    [Theory]
    [InlineData("public, s-maxage=60, max-age=5, stale-if-error=9", "max-age=5, private, stale-if-error=9")]
    [InlineData("s-maxage=60", "private")]
    [InlineData("no-cache", "no-cache, private")]
    [InlineData("private=\"set-cookie\", max-age=60", "max-age=60, private")]
    [InlineData("=;broken", "no-store, private")]
    [InlineData("no-store, max-age=-1", "no-store, private")]
    [InlineData("no-store", "no-store")]
    [InlineData(null, "private")]
    public async Task What_needed_a_key_is_for_no_shared_cache_whatever_its_upstream_says(string? said, string passes)
    {
        _raw = $"HTTP/1.1 200 OK\r\n{(said is null ? string.Empty : $"Cache-Control: {said}\r\n")}Content-Length: 0\r\n\r\n";

        var answer = await CallAsync("GET /own/raw");

        Assert.Contains($"\r\nCache-Control: {passes}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nCDN-Cache-Control: no-store\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_without_credentials_passes_a_redirect_but_not_the_upstreams_own_address()
    {
        await using var gateway = await StartGatewayAsync(
            ("ReverseProxy:Routes:plain:ClusterId", "own"), ("ReverseProxy:Routes:plain:AuthorizationPolicy", "anonymous"), ("ReverseProxy:Routes:plain:Match:Path", "/raw"),
            ("ReverseProxy:Routes:plain:Transforms:0:ResponseHeadersAllowed", "X-Own;Set-Cookie"));
        _raw = "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/caf%C3%A9\r\nX-Own: yes\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n";
        var elsewhere = await gateway.GetAsync("/raw");
        _raw = $"HTTP/1.1 302 Found\r\nLocation: {_upstream.Address}inside\r\nContent-Length: 0\r\n\r\n";
        var inside = await gateway.GetAsync("/raw");

        Assert.Equal((HttpStatusCode.Found, "https://elsewhere.example/caf%C3%A9"), (elsewhere.Status, elsewhere.Header("Location")));
        Assert.Equal(("yes", null), (elsewhere.Header("X-Own"), elsewhere.Header("Set-Cookie")));
        Assert.Equal((HttpStatusCode.Found, null), (inside.Status, inside.Header("Location")));
    }

    [Theory]
    [InlineData("POST", "/own/close", "upstreamOutcomeUnknown")]
    [InlineData("PATCH", "/own/close", "upstreamOutcomeUnknown")]
    [InlineData("PUT", "/own/close", "upstreamUnreachable")]
    [InlineData("GET", "/own/close", "upstreamUnreachable")]
    [InlineData("POST", "/nobody/x", "upstreamUnreachable")]
    public async Task A_call_that_may_have_been_done_is_told_from_one_that_never_left(string method, string path, string code)
    {
        var port = RedisServer.FreePort();
        await using var gateway = await StartGatewayAsync(
            ("ReverseProxy:Clusters:nobody:Destinations:one:Address", $"http://127.0.0.1:{port}/"), ("ReverseProxy:Routes:nobody:ClusterId", "nobody"),
            ("ReverseProxy:Routes:nobody:AuthorizationPolicy", "proxy"), ("ReverseProxy:Routes:nobody:Match:Path", "/nobody/{**rest}"));

        var answer = await gateway.SendAsync(new HttpMethod(method), path, ("X-Api-Key", GatewayProcess.ProxyKey));

        Assert.Equal((HttpStatusCode.BadGateway, code), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_caller_that_leaves_is_499_in_the_log()
    {
        using var leaving = new CancellationTokenSource();
        using var hanging = new HttpRequestMessage(HttpMethod.Get, "/own/hang");
        hanging.Headers.Add("X-Api-Key", GatewayProcess.ProxyKey);
        var call = _gateway.SendAsync(hanging, leaving.Token);
        await GatewayProcess.EventuallyAsync(() => Task.FromResult(_upstream.Received.Count > 0), TimeSpan.FromSeconds(10));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        _goOn.Release();

        Assert.Contains("\"StatusCode\":499", await _gateway.LogLineAsync("GET /own/hang"), StringComparison.Ordinal);
    }

    [GeneratedRegex("held the access token", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Withheld();

    private static string TokenOf(string head) => head.Contains("Bearer ", StringComparison.Ordinal) ? head.Split("Bearer ")[1].Split("\r\n")[0] : "none";

    private Task<GatewayProcess> StartGatewayAsync(params (string Key, string Value)[] settings) => GatewayProcess.StartAsync(
        _simulator,
        [
            ("AccessTokens:AllowedOrigins", _upstream.Address),
            ("ReverseProxy:Clusters:own:Destinations:one:Address", _upstream.Address),
            ("ReverseProxy:Routes:own:ClusterId", "own"),
            ("ReverseProxy:Routes:own:AuthorizationPolicy", "proxy"),
            ("ReverseProxy:Routes:own:Match:Path", "/own/{**rest}"),
            ("ReverseProxy:Routes:own:Transforms:0:PathRemovePrefix", "/own"),
            ("ReverseProxy:Routes:own:Transforms:1:AccessToken", "true"),
            ("ReverseProxy:Routes:open:ClusterId", "own"),
            ("ReverseProxy:Routes:open:AuthorizationPolicy", "anonymous"),
            ("ReverseProxy:Routes:open:Match:Path", "/open"),
            ("ReverseProxy:Routes:open:Match:Methods:0", "GET"),
            ("ReverseProxy:Routes:open:Match:Methods:1", "HEAD"),
            ("ReverseProxy:Routes:open:Transforms:0:AccessToken", "true"),
            .. settings,
        ]);

    private async Task<bool> AnswerAsync(string head, Stream stream)
    {
        var token = TokenOf(head);
        var middle = token.Length / 2;
        const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
        switch (head.Split(' ')[1])
        {
            case "/close":
                return false;
            case "/hang":
                await _goOn.WaitAsync(TestContext.Current.CancellationToken);
                return false;
            case "/raw":
                await stream.WriteAsync(Encoding.Latin1.GetBytes(_raw), TestContext.Current.CancellationToken);
                return false;
            case "/echo/header":
                await SendAsync(stream, $"HTTP/1.1 200 OK\r\nX-Echo: was {token}.\r\nContent-Length: 0\r\n\r\n");
                return true;
            case "/echo/reason":
                await SendAsync(stream, $"HTTP/1.1 200 {token}\r\nContent-Length: 0\r\n\r\n");
                return true;
            case "/echo/body":
                await SendAsync(stream, $"HTTP/1.1 200 OK\r\nContent-Length: {(token.Length + 7).ToString(System.Globalization.CultureInfo.InvariantCulture)}\r\n\r\nBearer {token}");
                return true;
            case "/echo/two-writes":
                await SendAsync(stream, $"{Chunked}\r\n{Chunk(token[..middle])}");
                await SendAsync(stream, $"{Chunk(token[middle..])}0\r\n\r\n");
                return true;
            case "/echo/later":
                await SendAsync(stream, $"{Chunked}\r\n{Chunk("begins")}");
                await _goOn.WaitAsync(TestContext.Current.CancellationToken);
                await SendAsync(stream, Chunk(new string('x', 4000)) + Chunk(token[..middle]));
                await SendAsync(stream, $"{Chunk(token[middle..])}0\r\n\r\n");
                return true;
            case "/echo/events":
                await SendAsync(stream, $"{Chunked}Content-Type: text/event-stream\r\n\r\n");
                await _goOn.WaitAsync(TestContext.Current.CancellationToken);
                await SendAsync(stream, $"{Chunk($"data: {token}\n\n")}0\r\n\r\n");
                return true;
            case "/echo/trailer":
                await SendAsync(stream, $"{Chunked}Trailer: X-Echo\r\n\r\n{Chunk("begins")}");
                await _goOn.WaitAsync(TestContext.Current.CancellationToken);
                await SendAsync(stream, $"0\r\nX-Echo: {token}\r\n\r\n");
                return true;
            default:
                await SendAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                return true;
        }
    }

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    private static async Task SendAsync(Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        await stream.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The whole answer to a call by a client with a key.</summary>
    private async Task<string> CallAsync(string call, string headers = "", string body = "")
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _gateway.Address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await SendAsync(stream, $"{call} HTTP/1.1\r\nHost: gateway\r\nX-Api-Key: {GatewayProcess.ProxyKey}\r\nConnection: close\r\n{headers}\r\n{body}");
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
