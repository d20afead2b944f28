using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Stack;
using Gateway.Tests.Fuzzing;

namespace Gateway.FunctionalTests;

/// <summary>
/// Malformed and hostile requests on raw sockets against a gateway as in production: the seeds, and what the mutator makes of them,
/// several to a connection, many connections at once. <c>./dev fuzz MINUTES</c> goes on for longer.
/// </summary>
public sealed partial class HttpFuzzTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private const string Good = "/catalog/builtfor_example?country=JP";
    private const int Connections = 48;

    /// <summary>Behind every load, so that the server ends a connection on which it is not waiting for something.</summary>
    private const string Last = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    private const int RequestsPerRound = 2_500;
    private const int Rounds = 9;

    private static readonly string[] Words =
    [
        "GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "TRACE ", "CONNECT ", "PATCH ", "get ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/2.0\r\n", " HTTP/9.9\r\n", "\r\n", "\n", "\r", "\r\n\r\n", "\0", " ", "\t",
        "/catalog", "/catalog/builtfor_example", "/billing/v1/products/a/components", "/billing/v1/subscriptions/x", "/paymentwall/api/rest/product", "/paymentwall/api/rest/product?ag_external_id=x", "/admin/cache/purge?all=true",
        "/health/ready", "/health/details", "/swagger/index.html", "/swagger/v1/swagger.json", "http://127.0.0.1/catalog", "*", "//", "/../", "/./", "..%2f", "%2e%2e/", "%252e", "%5c", "\\", ";a=b", "%00", "%", "%GG", "%C0%AF", "%FF", "?", "#", "&",
        "?product=a", "&country=JP", "&country=%C4%B1", "&type=plan", "&prices=skip", "&callback=fn", "&callback=alert(1)", "&key=x&sign=y",
        "Host: localhost\r\n", "Host: \r\n", "Host: a b\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Content-Length: -1\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 2000000\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "FFFFFFFFFFFFFFFF\r\n", "Connection: close\r\n", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", "Expect: 100-continue\r\n", "Range: bytes=0-,5-2,-\r\n", "If-None-Match: *\r\n", "If-None-Match: W/\"x\", \"\r\n", "If-Modified-Since: never\r\n",
        "Accept-Encoding: gzip;q=2, br;q=, *;q=0\r\n", "Accept-Encoding: br\r\n", "Accept: \u00FF\r\n", "User-Agent: caf\u00C3\u00A9\r\n", "Origin: null\r\n", "Origin: https://\u00C3\u00BC.shop.example\r\n", "Origin: https://shop.example\r\n", "Origin: https://shop.example.evil\r\n", "Access-Control-Request-Method: GET\r\n",
        "Access-Control-Request-Headers: x, ,\r\n", "X-Forwarded-For: 1.2.3.4, ::1, unknown, \"\r\n", "X-Forwarded-Proto: gopher\r\n", "X-Forwarded-Host: evil\r\n", "Forwarded: for=\"\r\n", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        "traceparent: ff-zz\r\n", "tracestate: a=,b\r\n", "baggage: \u0001=\r\n", "Cookie: a=b; ;=\r\n", "X-Api-Key: \r\n", "X-Api-Key: nobody-s\r\n", "Authorization: Bearer nobody-s\r\n", "sandbox: true\r\n", "sandbox: maybe\r\n", "CF-IPCountry: JP\r\n", "CF-IPCountry: T1\r\n",
        " folded: x\r\n", "NoColon\r\n", ": empty\r\n", "X-Http-Method-Override: DELETE\r\n", "Content-Type: application/json\r\n", "TE: trailers\r\n", "Trailer: X\r\n",
    ];

    /// <summary>What a good request was answered with before; the same bytes are to come for as long as nothing changed.</summary>
    private string _good = string.Empty;

    [Fact]
    [Trait("Fuzz", "target")]
    public async Task Whatever_arrives_on_a_socket_nothing_breaks_leaks_or_reaches_an_upstream_that_may_not()
    {
        double? minutes = double.TryParse(Environment.GetEnvironmentVariable("GATEWAY_FUZZ_MINUTES"), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var given) ? given : null;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GATEWAY_FUZZ_SEED"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var set) ? set
            : minutes is null ? 1
            : Random.Shared.Next();
        await using var gateway = await stack.StartGatewayAsync(
            ("Catalog:CountryHeader", "CF-IPCountry"),
            ("Catalog:FreshFor", "01:00:00"),
            ("Catalog:MemoryLimit", "4194304"),

            // A 5xx is to be the gateway's fault and not a busy machine's.
            ("Catalog:Deadline", "00:00:50"),
            ("Billing:Timeout", "00:00:40"),
            ("Billing:AttemptTimeout", "00:00:30"),
            ("Paymentwall:Timeout", "00:00:40"),
            ("Paymentwall:AttemptTimeout", "00:00:30"),
            ("Security:Cors:Origins:0", "https://shop.example"),
            ("Security:Cors:Origins:1", "https://*.shop.example"),
            ("Security:KnownProxies", "127.0.0.1"),

            // Everything printed is kept until the end.
            ("Serilog:MinimumLevel:Default", minutes is null ? "Information" : "Warning"));
        await gateway.RedisIsUpAsync();
        await GatewayProcess.EventuallyAsync(async () => (await gateway.GetAsync(Good)).Status == HttpStatusCode.OK, TimeSpan.FromMinutes(1));
        _good = await GoodAsync(gateway);
        var random = new Random(seed);
        var corpus = Seeds();
        var mutator = new FuzzMutator(random, Words, bytes: true);
        var started = TimeProvider.System.GetTimestamp();
        var statuses = new SortedDictionary<int, int>();
        var (requests, memory, handles) = (0, 0L, 0);
        for (var round = 0; minutes is { } m ? TimeProvider.System.GetElapsedTime(started).TotalMinutes < m || round < 3 : round < Rounds; round++)
        {
            // In every third round each caller has a key that lets it forward anything: then what may be forwarded is not looked at.
            var withKey = round % 3 == 2;
            var loads = new List<string>();
            var sent = 0;
            if (round == 0)
            {
                loads.AddRange(corpus.Select(request => request + Last));
                sent += corpus.Length;
            }

            while (sent < RequestsPerRound)
            {
                var pipelined = random.Next(1, 6);
                loads.Add(string.Concat(Enumerable.Range(0, pipelined).Select(_ => random.Next(3) == 0
                    ? corpus[random.Next(corpus.Length)]
                    : mutator.Mutate(corpus[random.Next(corpus.Length)], corpus[random.Next(corpus.Length)]))) + (random.Next(2) == 0 ? Last : "\r\n\r\n" + Last));
                sent += pipelined;
            }

            await stack.Simulator.ResetAsync();
            foreach (var status in (await SendAllAsync(gateway, withKey ? loads.ConvertAll(WithKey) : loads, seed)).SelectMany(answers => answers))
            {
                statuses[status] = statuses.GetValueOrDefault(status) + 1;
            }

            requests += sent;
            await AssertForwardedAsync(anything: withKey);
            Assert.Equal(_good, await GoodAsync(gateway));
            if (round == 2)
            {
                (memory, handles) = (ResidentBytes(gateway), Handles(gateway));
            }
        }

        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"fuzz http: {requests:N0} requests in {seconds:0.0} s, seed {seed}, {corpus.Length} seeds kept, answers {string.Join(", ", statuses.Select(pair => $"{pair.Key}: {pair.Value}"))}; after a third and at the end {memory >> 20} and {ResidentBytes(gateway) >> 20} MiB, {handles} and {Handles(gateway)} handles"));

        // Both what is taken and what is refused was seen, in number.
        Assert.All([200, 400, 401, 404], status => Assert.InRange(statuses.GetValueOrDefault(status), requests / 1_000, requests));

        // All that grows with the number of requests is gone when they are: a few kilobytes kept of each would be more than this. Less is
        // not asked: the collector takes what it likes while there is enough.
        await GatewayProcess.EventuallyAsync(() => Task.FromResult(Handles(gateway) <= handles + 32), TimeSpan.FromSeconds(30));
        Assert.True(ResidentBytes(gateway) < memory + (64 << 20), $"{memory >> 20} MiB after a third, {ResidentBytes(gateway) >> 20} MiB at the end.");

        // No bug was met on the way. (Every gateway's log is searched for credentials as well, when it ends.)
        // Kestrel itself logs an error where a trailer that nobody asked for is not text: found here, and not ours to mend.
        var bugs = gateway.Log.Split('\n').Where(line => Bug().IsMatch(line) && !line.Contains("automatic draining of the request body failed", StringComparison.Ordinal)).ToList();
        Assert.True(bugs.Count == 0, $"{bugs.Count} lines such as:\n{string.Join('\n', bugs.Take(3))}");
    }

    /// <summary>The statuses of each connection's answers.</summary>
    private static async Task<IReadOnlyList<List<int>>> SendAllAsync(GatewayProcess gateway, List<string> loads, int seed)
    {
        var statuses = new List<int>[loads.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, loads.Count),
            new ParallelOptions { MaxDegreeOfParallelism = Connections, CancellationToken = TestContext.Current.CancellationToken },
            async (index, token) =>
            {
                var manner = (index % 20) switch { 17 => Manner.HalfClosed, 18 => Manner.InPieces, 19 => Manner.LeavesAtOnce, _ => Manner.Waits };
                var answer = await SendAsync(gateway, FuzzText.Bytes(loads[index]), manner, token);
                statuses[index] = [.. StatusLine().Matches(answer).Select(match => int.Parse(match.Groups["status"].ValueSpan, CultureInfo.InvariantCulture))];

                // The upstreams are well: there is no reason for any 5xx but the server's own words for what it does not know.
                if (statuses[index].Find(status => status >= 500 && status is not (501 or 505)) is > 0 and var status)
                {
                    var literal = FuzzText.Escape(loads[index].Replace(GatewayProcess.ProxyKey, "KEY", StringComparison.Ordinal));
                    var folder = Path.Combine(Programs.Root, "artifacts", "fuzz");
                    Directory.CreateDirectory(folder);
                    var file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"http-{seed}-{index}.txt"));
                    await File.WriteAllTextAsync(file, literal + "\n", token);
                    Assert.Fail($"fuzz http, seed {seed}: {status}. Add to Gateway.Tests/Fuzzing/Seeds/http.txt (also in {file}):\n{literal}\nIt answered:\n{answer}");
                }
            });
        return statuses;
    }

    /// <summary>All that comes back until the server closes, or has long said nothing.</summary>
    private static async Task<string> SendAsync(GatewayProcess gateway, byte[] load, Manner manner, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, cancellationToken);
        var received = new MemoryStream();
        try
        {
            for (var piece = 0; piece < load.Length; piece += manner == Manner.InPieces ? 61 : load.Length)
            {
                await socket.SendAsync(load.AsMemory(piece, manner == Manner.InPieces ? Math.Min(61, load.Length - piece) : load.Length), cancellationToken);
            }

            if (manner == Manner.LeavesAtOnce)
            {
                socket.LingerState = new LingerOption(enable: true, seconds: 0);
                return string.Empty;
            }

            if (manner == Manner.HalfClosed)
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            var buffer = new byte[16 * 1024];
            for (var waiting = manner != Manner.HalfClosed; ;)
            {
                // Of what ends in the middle the server waits for the rest: then a moment is enough. It has none to end a closed one.
                using var patience = new CancellationTokenSource(waiting ? TimeSpan.FromMilliseconds(300) : TimeSpan.FromSeconds(60), TimeProvider.System);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
                try
                {
                    var count = await socket.ReceiveAsync(buffer, either.Token);
                    if (count == 0)
                    {
                        break;
                    }

                    received.Write(buffer, 0, count);
                }
                catch (OperationCanceledException) when (waiting && !cancellationToken.IsCancellationRequested)
                {
                    waiting = false;
                    socket.Shutdown(SocketShutdown.Send);
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Assert.Fail("No end of the answer within a minute to:\n" + FuzzText.Escape(FuzzText.Of(load)));
        }
        catch (SocketException)
        {
            // Reset by the server, which may do so to a client that goes on sending what is not wanted.
        }

        return FuzzText.Of(received.ToArray());
    }

    /// <summary>What reached the upstreams is what may, with the gateway's credentials and none of the caller's.</summary>
    private async Task AssertForwardedAsync(bool anything)
    {
        var billing = await stack.Simulator.ReceivedAsync("billing");
        var paymentwall = await stack.Simulator.ReceivedAsync("paymentwall");
        Assert.InRange(billing.Count, 1, 4_999);
        Assert.InRange(paymentwall.Count, 0, 4_999);
        foreach (var request in billing.Concat(paymentwall))
        {
            Assert.DoesNotContain(request.Headers.Keys, name => !Upward().IsMatch(name));
            Assert.DoesNotContain("nobody-s", request.Headers.GetValueOrDefault("Authorization")?.Single() ?? string.Empty, StringComparison.Ordinal);
            Assert.True(PlainPath().IsMatch(request.Path), request.Path);
        }

        Assert.All(billing, request => Assert.StartsWith("Bearer ey", request.Header("Authorization"), StringComparison.Ordinal));
        Assert.All(paymentwall, request =>
        {
            Assert.Null(request.Header("Authorization"));
            Assert.Equal(GatewayProcess.ProjectKey, request.Query("key"));
            Assert.Equal("3", request.Query("sign_version"));
            Assert.Equal(64, request.Query("sign")?.Length);
        });
        if (anything)
        {
            return;
        }

        Assert.All(billing.Concat(paymentwall), request => Assert.Contains(request.Method, (string[])["GET", "HEAD"]));
        Assert.All(billing, request => Assert.Matches(OpenBilling(), request.Path));
        Assert.All(paymentwall, request =>
        {
            Assert.Matches(OpenPaymentwall(), request.Path);
            Assert.Empty(request.RawQuery.Split('&').Select(pair => pair.Split('=')[0]).Except(["ag_external_id", "country_code", "callback", "key", "sign_version", "sign"]));
        });
    }

    private static async Task<string> GoodAsync(GatewayProcess gateway)
    {
        var answer = await gateway.GetAsync(Good);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.True((bool)answer.Json["completeness"]!["complete"]!, answer.Body);
        return answer.Header("ETag") + answer.Body;
    }

    /// <summary>Put in last, so that no mutation puts the key where it would be logged.</summary>
    private static string WithKey(string load) => load.Replace(" HTTP/1.1\r\n", $" HTTP/1.1\r\nX-Api-Key: {GatewayProcess.ProxyKey}\r\n", StringComparison.Ordinal);

    private static string[] Seeds() =>
    [
        .. File.ReadLines(Path.Combine(Programs.Root, "tests", "Gateway.Tests", "Fuzzing", "Seeds", "http.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(FuzzText.Unescape),
    ];

    private static long ResidentBytes(GatewayProcess gateway) =>
        long.Parse(
            File.ReadLines($"/proc/{gateway.ProcessId}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture) * 1024;

    private static int Handles(GatewayProcess gateway) => Directory.GetFileSystemEntries($"/proc/{gateway.ProcessId}/fd").Length;

    [GeneratedRegex("\"@l\":\"(Error|Fatal)\"|[Uu]nhandled", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Bug();

    private enum Manner
    {
        Waits,
        HalfClosed,
        InPieces,
        LeavesAtOnce,
    }

    [GeneratedRegex(@"HTTP/1\.[01] (?<status>\d{3}) ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex StatusLine();

    [GeneratedRegex(@"\A(Accept|Accept-Language|Accept-Encoding|Content-Type|Content-Length|If-(Match|None-Match|Modified-Since|Unmodified-Since|Range)|Range|User-Agent|sandbox|Authorization|Host|Transfer-Encoding)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Upward();

    /// <summary>No dot segment in any disguise, nothing encoded that separates.</summary>
    [GeneratedRegex(@"\A(?!.*(//|/\.{1,2}(/|\z)|%2[ef5]|%5c|%3b|%00|[\\;]))/", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex PlainPath();

    [GeneratedRegex(@"\A/v1/products/[^/]+/components(/.*)?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex OpenBilling();

    [GeneratedRegex(@"\A/api/rest/product/?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex OpenPaymentwall();
}
