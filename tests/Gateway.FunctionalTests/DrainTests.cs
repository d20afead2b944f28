using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A replica that is told to stop loses no request, and says so first to those who would send it more.</summary>
[Trait("Redis", "any form")]
public sealed class DrainTests
{
    private const int SigInt = 2;
    private const int SigTerm = 15;
    private const string Slow = "/catalog?product=builtfor_example&prices=skip";

    [Fact]
    public async Task Readiness_fails_first_and_everything_is_still_served_for_the_delay()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Hosting:DrainDelay", "00:00:03"));
        Assert.False((await gateway.GetAsync("/health/ready")).Headers.ContainsKey("Connection"));
        var started = TimeProvider.System.GetTimestamp();

        gateway.Signal(SigTerm);

        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/health/ready")).Status == HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2));
        Assert.Equal("yes", (string?)(await gateway.GetAsync("/health/ready")).Json["draining"]);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/health/live")).Status);
        var answer = await gateway.GetAsync(Slow);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("close", answer.Headers["Connection"]);
        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_request_under_way_is_finished_after_the_listener_is_gone_and_its_connection_ends()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator);
        await simulator.FaultAsync("billing", new { latencyMs = 1_500 });
        var slow = gateway.GetAsync(Slow);
        await UpstreamIsAskedAsync(simulator);

        gateway.Signal(SigTerm);

        await gateway.LogLineAsync("Listening no more: 1 requests under way");
        await GatewayProcess.EventuallyAsync(async () => !await ListensAsync(gateway.Address), TimeSpan.FromSeconds(1));
        Assert.False(slow.IsCompleted);
        var answer = await slow;
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("close", answer.Headers["Connection"]);
        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.Contains("Drained", gateway.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("cut off", gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_finish_is_cut_off_at_the_bound_and_said()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var upstream = await StreamingUpstream.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator,
            ("Hosting:DrainTimeout", "00:00:01"),
            ("ReverseProxy:Clusters:own:Destinations:one:Address", upstream.Address),
            ("ReverseProxy:Routes:own:ClusterId", "own"),
            ("ReverseProxy:Routes:own:AuthorizationPolicy", "anonymous"),
            ("ReverseProxy:Routes:own:Match:Path", "/events"));
        using var client = new HttpClient { BaseAddress = gateway.Address };
        using var endless = await client.GetAsync("/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, endless.StatusCode);
        var started = TimeProvider.System.GetTimestamp();

        gateway.Signal(SigTerm);

        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.Contains("1 requests had not finished after 00:00:01 and were cut off", gateway.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SigTerm, 143)]
    [InlineData(SigInt, 130)]
    public async Task The_same_signal_again_ends_it_at_once(int signal, int exitCode)
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Hosting:DrainDelay", "00:01:00"));
        gateway.Signal(signal);
        await gateway.LogLineAsync("Draining");
        var started = TimeProvider.System.GetTimestamp();

        gateway.Signal(signal);

        Assert.Equal(exitCode, await gateway.ExitCodeAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task In_production_the_delay_is_five_seconds_unless_configured()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Hosting:DrainDelay", string.Empty));

        gateway.Signal(SigTerm);

        await gateway.LogLineAsync("serving for another 00:00:05");
    }

    [Fact]
    public async Task A_kept_alive_connection_is_not_left_open_for_the_next_request()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, ("Hosting:DrainDelay", "00:00:05"));
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(connection.GetStream());
        var first = await AskAsync();
        Assert.DoesNotContain(first, line => line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase));
        gateway.Signal(SigTerm);
        await gateway.LogLineAsync("Draining");

        var second = await AskAsync();

        Assert.StartsWith("HTTP/1.1 200", second[0], StringComparison.Ordinal);
        Assert.Contains("Connection: close", second);
        Assert.Null(await reader.ReadLineAsync(TestContext.Current.CancellationToken));

        async Task<List<string>> AskAsync()
        {
            await connection.GetStream().WriteAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            var lines = new List<string>();
            while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
            {
                lines.Add(line);
            }

            // A chunk, its length before it, and the end of the chunks.
            var size = int.Parse((await reader.ReadLineAsync(TestContext.Current.CancellationToken))!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var body = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.Equal(size, Encoding.UTF8.GetByteCount(body!));
            await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            await reader.ReadLineAsync(TestContext.Current.CancellationToken);
            return lines;
        }
    }

    [Fact]
    public async Task A_replica_that_is_stopped_while_it_renews_the_token_gives_the_lease_back()
    {
        await using var fleet = await Fleet.StartAsync(1);
        await fleet.Simulator.FaultAsync("authorization", new { match = "/oauth2/token", hang = true });
        using var client = new HttpClient { BaseAddress = fleet.Replicas[0].Address };
        using var leaving = new CancellationTokenSource();
        var doomed = client.GetAsync(Slow, leaving.Token);
        await GatewayProcess.EventuallyAsync(async () => await fleet.Simulator.TokenRequestsAsync() == 1, TimeSpan.FromSeconds(5));
        Assert.NotEmpty(await LeasesAsync());
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doomed);

        await fleet.Replicas[0].StopAsync();

        Assert.Empty(await LeasesAsync());

        Task<List<string>> LeasesAsync() => fleet.Redis.KeysAsync("gateway:lease:{gateway:token:*");
    }

    [Fact]
    public async Task Telemetry_of_the_last_requests_is_sent_off_before_the_end()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, [.. receiver.Settings, ("OTEL_BSP_SCHEDULE_DELAY", "60000"), ("OTEL_METRIC_EXPORT_INTERVAL", "60000")]);
        await simulator.FaultAsync("billing", new { latencyMs = 1_000 });
        var last = gateway.GetAsync(Slow);
        await UpstreamIsAskedAsync(simulator);

        gateway.Signal(SigTerm);

        Assert.Equal(HttpStatusCode.OK, (await last).Status);
        Assert.Equal(0, await gateway.ExitCodeAsync());
        Assert.Contains("GET /catalog", receiver.Traces, StringComparison.Ordinal);
        Assert.NotEmpty(receiver.Metrics);
    }

    [Fact]
    public async Task Check_health_is_0_for_a_ready_gateway_and_1_for_a_draining_and_for_none()
    {
        var port = RedisServer.FreePort();
        (string Key, string Value)[] settings =
        [
            ("ASPNETCORE_URLS", string.Create(CultureInfo.InvariantCulture, $"http://*:{port}")),
            ("AllowedHosts", "shop.example"),
            ("Hosting:DrainDelay", "00:01:00"),
        ];
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = ChildProcess.Start("dotnet", [Programs.Gateway], GatewayProcess.Environment(simulator, settings));
        await gateway.LineAsync(line => line.Contains("Now listening on", StringComparison.Ordinal));

        Assert.Equal((0, string.Empty), await CheckAsync());
        gateway.Signal(SigTerm);
        await gateway.LineAsync(line => line.Contains("Draining", StringComparison.Ordinal));
        var draining = await CheckAsync();
        Assert.Equal(1, draining.ExitCode);
        Assert.Contains("503", draining.Output, StringComparison.Ordinal);
        gateway.Signal(SigTerm);
        await gateway.ExitCodeAsync();
        var gone = await CheckAsync();
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("refused", gone.Output, StringComparison.Ordinal);

        async Task<(int ExitCode, string Output)> CheckAsync()
        {
            await using var probe = ChildProcess.Start("dotnet", [Programs.Gateway, "--check-health"], GatewayProcess.Environment(simulator, settings));
            return (await probe.ExitCodeAsync(), probe.Output);
        }
    }

    private static Task UpstreamIsAskedAsync(SimulatorProcess simulator) => GatewayProcess.EventuallyAsync(
        async () => await simulator.CountAsync("billing", "GET /v1/products/{productId}/components") == 1, TimeSpan.FromSeconds(5));

    private static async Task<bool> ListensAsync(Uri address)
    {
        using var connection = new TcpClient();
        try
        {
            await connection.ConnectAsync(IPAddress.Loopback, address.Port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
