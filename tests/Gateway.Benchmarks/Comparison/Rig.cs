using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Benchmarks.Subjects;

namespace Gateway.Benchmarks.Comparison;

/// <summary>What every comparison stands on: the token endpoint (the simulator's, HTTPS), fast upstreams, Redis, and what starts subjects.</summary>
internal sealed class Rig : IAsyncDisposable
{
    public const string AdminKey = "benchmark-admin-key-of-no-other-use";

    private readonly CompareOptions _options;
    private readonly HttpClient _http = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
    private Uri _authority = null!;
    private Subject _simulator = null!;
    private Subject _upstream = null!;
    private Subject _redis = null!;
    private int _started;

    private Rig(CompareOptions options)
    {
        _options = options;

        // nginx, started by root, reads as somebody else.
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
    }

    public CompareOptions Options => _options;

    public Subject Upstream => _upstream;

    public static async Task<Rig> StartAsync(CompareOptions options)
    {
        var rig = new Rig(options);
        int[] ports = [.. Enumerable.Range(0, 4).Select(_ => FreePort())];
        rig._simulator = rig.Launch(ports[0], "dotnet", [
            options.Simulator, Invariant($"--Simulator:ControlPort={ports[0]}"), Invariant($"--Simulator:AuthorizationPort={ports[1]}"),
            Invariant($"--Simulator:BillingPort={ports[2]}"), Invariant($"--Simulator:PaymentwallPort={ports[3]}"), $"--Simulator:CertificateFile={rig.PathOf("ca.pem")}"]);
        rig._authority = new Uri(Invariant($"https://localhost:{ports[1]}/"));
        var redis = FreePort();
        rig._redis = rig.Launch(redis, "redis-server", [
            "--port", Invariant($"{redis}"), "--bind", "127.0.0.1", "--save", string.Empty, "--appendonly", "no", "--dir", rig._folder,
            "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]);
        rig._upstream = await rig.StartAsync("upstream", []);
        await rig._simulator.AnsweredAsync("health");
        return rig;
    }

    public string PathOf(string name) => Path.Combine(_folder, name);

    /// <summary>What the upstreams do from now on; the counters begin anew.</summary>
    public async Task SetAsync(int latencyMilliseconds, int components)
    {
        using var response = await _http.PostAsync(_upstream.At(Invariant($"control?latency={latencyMilliseconds}&components={components}&reset=true")), content: null);
        response.EnsureSuccessStatusCode();
    }

    public async Task<UpstreamCalls> CallsAsync() =>
        (await _http.GetFromJsonAsync<UpstreamCalls>(_upstream.At("control"), JsonSerializerOptions.Web))!;

    public async Task<int> TokenRequestsAsync() =>
        (int?)(await _http.GetFromJsonAsync<JsonNode>(_simulator.At("requests")))!["authorization"]?["POST /oauth2/token"] ?? 0;

    /// <summary>Redis as after its start.</summary>
    public async Task EmptyRedisAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_redis.Address.Host, _redis.Address.Port);
        await client.GetStream().WriteAsync("FLUSHALL\r\n"u8.ToArray());
        if (await client.GetStream().ReadAsync(new byte[16]) == 0)
        {
            throw new InvalidOperationException("Redis did not answer.");
        }
    }

    /// <summary>One mode of this program, published as the gateway is. It listens when this returns.</summary>
    public async Task<Subject> StartAsync(string mode, string[] arguments)
    {
        var subject = Begin(mode, arguments, _options.Subjects);
        await subject.AnsweredAsync(mode == "floor" ? "warm" : "none");
        return subject;
    }

    /// <summary>As <see cref="StartAsync(string, string[])"/> without waiting, and of whatever build.</summary>
    public Subject Begin(string mode, string[] arguments, string program)
    {
        var port = FreePort();
        return Launch(port, "dotnet", [program, mode, "--port", Invariant($"{port}"), .. mode == "upstream" ? [] : (string[])["--upstream", _upstream.Address.AbsoluteUri], .. arguments]);
    }

    /// <summary>A gateway as in production that is ready, its Redis up.</summary>
    public async Task<Subject> StartGatewayAsync(params (string Key, string Value)[] settings)
    {
        var gateway = BeginGateway(settings);
        var redis = settings.Any(setting => setting is ("Redis__ConnectionString", "")) ? "off" : "up";
        await gateway.AnsweredAsync("health/ready", body => (string?)JsonNode.Parse(body)!["redis"] == redis);
        return gateway;
    }

    /// <summary>As <see cref="StartGatewayAsync"/> without waiting.</summary>
    public Subject BeginGateway(params (string Key, string Value)[] settings)
    {
        var port = FreePort();
        return Launch(port, "dotnet", [_options.Gateway], [
            ("ASPNETCORE_ENVIRONMENT", "Production"),
            ("ASPNETCORE_URLS", Invariant($"http://127.0.0.1:{port}")),

            // As in the image.
            ("DOTNET_EnableDiagnostics", "0"),
            ("SSL_CERT_FILE", PathOf("ca.pem")),
            ("AccessTokens__Authority", _authority.AbsoluteUri),
            ("AccessTokens__ClientId", "demo:client/1"),
            ("AccessTokens__ClientSecret", "demo secret+&/:1"),
            ("Billing__BaseAddress", _upstream.Address.AbsoluteUri),
            ("Paymentwall__BaseAddress", _upstream.Address.AbsoluteUri),
            ("Paymentwall__ProjectKey", "demo-project-key"),
            ("Paymentwall__SecretKey", "demo-project-secret"),
            ("Catalog__DefaultCountry", "US"),
            ("Redis__ConnectionString", _redis.Address.Authority),
            ("Hosting__DrainDelay", "00:00:00"),

            // Of the front door what costs a warm answer something; rate limits are off, as by default.
            ("Security__Cors__Origins__0", "https://shop.example"),
            ("Security__ApiKeys__0__Name", "operator"),
            ("Security__ApiKeys__0__Sha256", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(AdminKey)))),
            ("Security__ApiKeys__0__Roles", "admin"),
            .. settings]);
    }

    /// <summary>Any other program that listens on this port.</summary>
    public Subject Launch(int port, string program, IEnumerable<string> arguments, params IEnumerable<(string Key, string Value)> environment) =>
        new(Child.Start(PathOf(Invariant($"{++_started}.log")), program, arguments, environment), port);

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var subject in new[] { _upstream, _redis, _simulator })
        {
            if (subject is not null)
            {
                await subject.DisposeAsync();
            }
        }

        _http.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
