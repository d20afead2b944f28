using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>A haproxy of the machine's with the project's own configuration, before replicas at fixed addresses.</summary>
internal sealed class HaproxyProcess : IAsyncDisposable
{
    private const string Program = "/usr/sbin/haproxy";

    private readonly ChildProcess _process;
    private readonly HttpClient _statistics;

    private HaproxyProcess(ChildProcess process, int port, int statistics)
    {
        _process = process;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        _statistics = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{statistics}/")) };
    }

    public static bool IsInstalled { get; } = File.Exists(Program);

    public Uri Address { get; }

    public string Log => _process.Output;

    /// <param name="replicas">Their ports, and those of their health.</param>
    /// <param name="additions">Lines for the frontend, beside the project's own.</param>
    public static async Task<HaproxyProcess> StartAsync(IReadOnlyList<(int Port, int Management)> replicas, string? additions = null)
    {
        var folder = Path.Combine(Programs.Root, "deploy", "loadbalancer");
        var configuration = Path.Combine(folder, "haproxy.cfg");
        if (additions is not null)
        {
            var own = await File.ReadAllTextAsync(configuration, TestContext.Current.CancellationToken);
            configuration = Path.Combine(Path.GetTempPath(), $"gateway-haproxy-{Guid.NewGuid():N}.cfg");
            await File.WriteAllTextAsync(
                configuration,
                own.Replace("  default_backend gateway\n", $"{additions}\n  default_backend gateway\n", StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
        }

        var (port, statistics) = (RedisServer.FreePort(), RedisServer.FreePort());
        KeyValuePair<string, string>[] environment =
        [
            new("GATEWAY_BIND", Local(port)),
            new("GATEWAY_STATS", Local(statistics)),
            .. replicas.SelectMany((replica, index) => new[]
            {
                KeyValuePair.Create(string.Create(CultureInfo.InvariantCulture, $"GATEWAY_{index + 1}"), Local(replica.Port)),
                KeyValuePair.Create(string.Create(CultureInfo.InvariantCulture, $"GATEWAY_{index + 1}_MANAGEMENT"), replica.Management.ToString(CultureInfo.InvariantCulture)),
            }),
        ];
        var process = ChildProcess.Start(
            Program, ["-db", "-f", configuration, "-f", Path.Combine(folder, "haproxy-fixed.cfg")], environment);
        var haproxy = new HaproxyProcess(process, port, statistics);
        await GatewayProcess.EventuallyAsync(async () => await haproxy.UpAsync() == replicas.Count, TimeSpan.FromSeconds(15));
        if (additions is not null)
        {
            File.Delete(configuration);
        }

        return haproxy;

        static string Local(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
    }

    /// <summary>How many replicas it sends requests to.</summary>
    public async Task<int> UpAsync() => (await ColumnAsync("status")).Count(status => status.StartsWith("UP", StringComparison.Ordinal));

    /// <summary>The index of the one replica that has requests under way.</summary>
    public async Task<int> BusyAsync() => (await ColumnAsync("scur")).Index().Single(server => server.Item != "0").Index;

    private async Task<List<string>> ColumnAsync(string name)
    {
        try
        {
            var lines = (await _statistics.GetStringAsync(new Uri("/;csv", UriKind.Relative), TestContext.Current.CancellationToken)).Split('\n');
            var column = Array.IndexOf(lines[0].Split(','), name);
            return [.. lines.Where(line => line.StartsWith("gateway,gateway-", StringComparison.Ordinal)).Select(line => line.Split(',')[column])];
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return [];
        }
    }

    public async ValueTask DisposeAsync()
    {
        _statistics.Dispose();

        // SIGTERM ends haproxy at once, whatever is under way.
        await _process.DisposeAsync();
    }
}
