using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.FunctionalTests.Stack;

/// <summary>The gateway as a process of its own, configured by environment variables alone, as in production.</summary>
internal sealed partial class GatewayProcess : IAsyncDisposable
{
    public const string ClientId = "demo:client/1";
    public const string ClientSecret = "demo secret+&/:1";
    public const string ProjectKey = "demo-project-key";
    public const string ProjectSecret = "demo-project-secret";
    public const string AdminKey = "test-admin-key-of-no-other-use";
    public const string ProxyKey = "test-proxy-key-of-no-other-use";

    private readonly ChildProcess _process;
    private readonly HttpClient _client;
    private readonly ConcurrentQueue<Answer> _answers = new();

    private readonly bool _isOfThisBuild;

    private GatewayProcess(ChildProcess process, Uri address, string? managementPort, bool isOfThisBuild)
    {
        (_process, _isOfThisBuild) = (process, isOfThisBuild);
        Address = address;
        Management = managementPort is null ? address : new Uri($"http://127.0.0.1:{managementPort}/");
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = address };
    }

    public Uri Address { get; }

    /// <summary>Where health and administration are.</summary>
    public Uri Management { get; }

    public string Log => _process.Output;

    public int ProcessId => _process.Id;

    /// <summary>Everything the gateway answered.</summary>
    public IEnumerable<Answer> Answers => _answers;

    /// <summary>The settings that make a gateway work against a simulator; <paramref name="settings"/> (<c>Section:Key</c>) go over them.</summary>
    public static Dictionary<string, string> Environment(SimulatorProcess? simulator, params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",

            // No load balancer has to notice.
            ["Hosting:DrainDelay"] = "00:00:00",

            // What upstreams are asked for is what tests ask for.
            ["Hosting:WarmUpTimeout"] = "00:00:00",
            ["AccessTokens:ClientId"] = ClientId,
            ["AccessTokens:ClientSecret"] = ClientSecret,
            ["Paymentwall:ProjectKey"] = ProjectKey,
            ["Paymentwall:SecretKey"] = ProjectSecret,
            ["Catalog:DefaultCountry"] = "US",
            ["Security:ApiKeys:0:Name"] = "operator",
            ["Security:ApiKeys:0:Sha256"] = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(AdminKey))),
            ["Security:ApiKeys:0:Roles"] = "admin",
            ["Security:ApiKeys:1:Name"] = "backend",
            ["Security:ApiKeys:1:Sha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ProxyKey))),
            ["Security:ApiKeys:1:Roles:0"] = "proxy",
        };
        if (simulator is not null)
        {
            all["SSL_CERT_FILE"] = simulator.CertificateFile;
            all["AccessTokens:Authority"] = simulator.Authority.AbsoluteUri;
            all["Billing:BaseAddress"] = simulator.Billing.AbsoluteUri;
            all["Paymentwall:BaseAddress"] = simulator.Paymentwall.AbsoluteUri;
        }

        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        return all.ToDictionary(pair => pair.Key.Replace(":", "__", StringComparison.Ordinal), pair => pair.Value, StringComparer.Ordinal);
    }

    public static Task<GatewayProcess> StartAsync(SimulatorProcess simulator, params (string Key, string Value)[] settings) =>
        StartFromAsync(Programs.Gateway, simulator, settings);

    /// <summary>Starts another build of the gateway.</summary>
    public static Task<GatewayProcess> StartFromAsync(string program, SimulatorProcess simulator, params (string Key, string Value)[] settings) =>
        StartInAsync(Environment(simulator, settings), program);

    /// <summary>Starts a gateway in exactly this environment.</summary>
    /// <param name="environment">All of it.</param>
    /// <param name="program">Another build's.</param>
    /// <param name="hosts">A file that is its <c>/etc/hosts</c>.</param>
    /// <param name="descriptors">How many files and connections it may have open.</param>
    public static async Task<GatewayProcess> StartInAsync(
        IEnumerable<KeyValuePair<string, string>> environment, string? program = null, string? hosts = null, int? descriptors = null)
    {
        var settings = environment.ToDictionary(StringComparer.Ordinal);
        program ??= Programs.Gateway;
        var process = descriptors is { } most ? ChildProcess.Start("sh", ["-c", $"ulimit -n {most} && exec dotnet \"$0\"", program], settings)
            : hosts is null
            ? ChildProcess.Start("dotnet", [program], settings)
            : ChildProcess.Start("unshare", ["-rm", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec dotnet \"$1\"", hosts, program], settings);
        var line = await process.LineAsync(line => line.Contains("Now listening on", StringComparison.Ordinal));
        return new GatewayProcess(process, new Uri(ListeningAddress().Match(line).Value), settings.GetValueOrDefault("Hosting__ManagementPort"), program == Programs.Gateway);
    }

    /// <summary>Runs the gateway with <c>--check-config</c>.</summary>
    /// <param name="environment">All of it.</param>
    /// <param name="online">With <c>--online</c>.</param>
    public static async Task<(int ExitCode, string Output)> CheckConfigurationAsync(IEnumerable<KeyValuePair<string, string>> environment, bool online = false)
    {
        await using var process = ChildProcess.Start("dotnet", online ? [Programs.Gateway, "--check-config", "--online"] : [Programs.Gateway, "--check-config"], environment);
        return (await process.ExitCodeAsync(), process.Output);
    }

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, headers);

    public async Task<Answer> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await SendAsync(request, CancellationToken.None);
    }

    /// <param name="request">Is not disposed of.</param>
    /// <param name="leaving">The client's own leaving; the test's end cancels in any case.</param>
    public async Task<Answer> SendAsync(HttpRequestMessage request, CancellationToken leaving)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(leaving, TestContext.Current.CancellationToken);
        using var response = await _client.SendAsync(request, ended.Token);
        var answer = await Answer.ReadAsync(response);
        _answers.Enqueue(answer);
        return answer;
    }

    /// <summary>Purges as an operator does.</summary>
    public async Task PurgeAsync(string what = "all=true&hard=true")
    {
        var answer = await SendAsync(HttpMethod.Post, new Uri(Management, "/admin/cache/purge?" + what).AbsoluteUri, ("X-Api-Key", AdminKey));
        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
    }

    /// <summary>Waits until the shared Redis is in use.</summary>
    public async Task RedisIsUpAsync() => await EventuallyAsync(
        async () => (string?)(await GetAsync(new Uri(Management, "/health/ready").AbsoluteUri)).Json["redis"] == "up", TimeSpan.FromSeconds(15));

    /// <summary>Asks until the answer is complete and so stays ready: on a busy machine a price may miss its time-out at first.</summary>
    public Task CompleteAsync(string catalog) =>
        EventuallyAsync(async () => (bool?)(await GetAsync(catalog)).Json["completeness"]?["complete"] == true, TimeSpan.FromSeconds(20));

    /// <summary>Asks until it is so.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> isSo, TimeSpan within)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < within, $"It did not become so within {within}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public Task<string> LogLineAsync(string text) => _process.LineAsync(line => line.Contains(text, StringComparison.Ordinal));

    public Task KillAsync() => _process.KillAsync();

    public Task<int> ExitCodeAsync() => _process.ExitCodeAsync();

    public void Signal(int signal) => _process.Signal(signal);

    public Task StopAsync() => _process.StopAsync();

    /// <summary>Every test ends here, so the log and the answers of every test are searched for what must never be in them, and the answers held against the OpenAPI document.</summary>
    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _process.DisposeAsync();
        LeakScanner.AssertNone(Log);
        foreach (var answer in _answers)
        {
            LeakScanner.AssertNone(string.Join('\n', answer.Headers.Values) + answer.Body);
        }

        if (_isOfThisBuild)
        {
            Contract.AssertKept(_answers);
        }
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListeningAddress();
}
