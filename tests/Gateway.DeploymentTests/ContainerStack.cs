using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>The image built from the Dockerfile and docker-compose.yml brought up from it, by <c>containers.sh</c>.</summary>
public sealed class ContainerStack : IAsyncLifetime
{
    private const string Project = "gatewaycheck";

    private static readonly string Script = Path.Combine(Programs.Root, "tests", "Gateway.DeploymentTests", "containers.sh");

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-containers-{Guid.NewGuid().ToString("N")[..8]}");
    private string _engine = string.Empty;
    private HttpClient _client = new();

    /// <summary>What the load balancer publishes.</summary>
    internal HttpClient Client => _client;

    public async ValueTask InitializeAsync()
    {
        try
        {
            var port = RedisServer.FreePort();
            await using var up = ChildProcess.Start("bash", [Script, "up", _folder, port.ToString(CultureInfo.InvariantCulture)], []);
            var exitCode = await up.ExitCodeAsync(TimeSpan.FromMinutes(15));
            Assert.SkipWhen(exitCode == 77, up.Output);
            if (exitCode != 0)
            {
                throw new InvalidOperationException(up.Output);
            }

            _engine = (await File.ReadAllTextAsync(Path.Combine(_folder, "engine"))).Trim();
            _client = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")) };
            await GatewayProcess.EventuallyAsync(IsServingAsync, TimeSpan.FromMinutes(2));
        }
        catch
        {
            // xunit does not dispose of a fixture that could not be made.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await using var down = ChildProcess.Start("bash", [Script, "down", _folder], []);
        await down.ExitCodeAsync(TimeSpan.FromMinutes(4));
    }

    /// <summary>The engine's own command.</summary>
    internal async Task<(int ExitCode, string Output)> EngineAsync(params string[] arguments)
    {
        await using var command = ChildProcess.Start(_engine, arguments, _engine != "podman" ? [] :
        [
            new("CONTAINERS_CONF", Path.Combine(_folder, "containers.conf")),
            new("CONTAINERS_STORAGE_CONF", Path.Combine(_folder, "storage.conf")),
            new("TMPDIR", Path.Combine(_folder, "tmp")),
        ]);
        return (await command.ExitCodeAsync(TimeSpan.FromMinutes(1)), command.Output);
    }

    /// <summary>Asks until the answer is complete and so lies in Redis, for both replicas: on a busy machine a price may miss its time-out at first.</summary>
    internal async Task<JsonNode> CompleteAsync(string path)
    {
        JsonNode? answer = null;
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
                answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                return (bool?)answer?["completeness"]?["complete"] == true;
            },
            TimeSpan.FromSeconds(30));
        return answer!;
    }

    /// <summary>The ids of a service's containers that run.</summary>
    internal async Task<string[]> ContainersAsync(string service)
    {
        var (_, output) = await EngineAsync(
            "ps", "-q", "--filter", $"label=com.docker.compose.project={Project}", "--filter", $"label=com.docker.compose.service={service}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    internal async Task<JsonNode> InspectAsync(string what) => JsonNode.Parse((await EngineAsync("inspect", what)).Output)![0]!;

    private async Task<bool> IsServingAsync()
    {
        // A connection that a port forwarder took before anybody listened behind it is never answered: ask again on another.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
        try
        {
            using var answer = await _client.GetAsync(new Uri("/catalog", UriKind.Relative), patience.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
