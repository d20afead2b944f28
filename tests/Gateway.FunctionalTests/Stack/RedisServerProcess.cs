using System.Globalization;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A <c>redis-server</c> of the machine's, on a free port, keeping nothing. What a replica writes to disk while it copies its primary any
/// server of the same folder would load: each has a folder of its own.
/// </summary>
internal sealed class RedisServerProcess : RedisServer
{
    private readonly string[] _settings;
    private readonly DirectoryInfo _folder;
    private ChildProcess _process;

    private RedisServerProcess(int port, string[] settings, DirectoryInfo folder, ChildProcess process)
    {
        Port = port;
        _settings = settings;
        _folder = folder;
        _process = process;
    }

    public static bool IsInstalled { get; } = (System.Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public override string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public static new Task<RedisServerProcess> StartAsync() => StartAsync([]);

    /// <param name="settings">As on the command line, such as <c>--maxmemory 5mb</c>.</param>
    public static Task<RedisServerProcess> StartAsync(params string[] settings) => LaunchNewAsync(FreePort(), settings);

    /// <summary>Where another one was, at another address of this machine.</summary>
    public static Task<RedisServerProcess> StartAtAsync(string address, int port) => LaunchNewAsync(port, ["--bind", address]);

    public override Task KillAsync() => _process.KillAsync();

    public override async Task RestartAsync()
    {
        await _process.DisposeAsync();
        File.Delete(Path.Combine(_folder.FullName, SavedFile));
        _process = await LaunchAsync(Port, _settings, _folder);
    }

    /// <summary>Replication as it sees it.</summary>
    public async Task<string> InfoAsync()
    {
        try
        {
            return (await AskAsync((_, server) => server.InfoRawAsync("replication")))!;
        }
        catch (RedisConnectionException)
        {
            return string.Empty;
        }
    }

    public override void Signal(int signal) => _process.Signal(signal);

    public override async ValueTask DisposeAsync()
    {
        // One that was stopped would not hear of its end.
        _process.Signal(18);
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static async Task<RedisServerProcess> LaunchNewAsync(int port, string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("redis-");
        return new RedisServerProcess(port, settings, folder, await LaunchAsync(port, settings, folder));
    }

    private static async Task<ChildProcess> LaunchAsync(int port, string[] settings, DirectoryInfo folder)
    {
        var process = ChildProcess.Start(
            Program,
            ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", string.Empty, "--appendonly", "no", "--dir", folder.FullName, .. settings],
            []);
        await process.LineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        return process;
    }
}
