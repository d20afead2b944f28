using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A <c>redis-server</c> of the machine's, on a free port, keeping nothing on disk.</summary>
internal sealed class RedisServerProcess : RedisServer
{
    private ChildProcess _process;

    private RedisServerProcess(int port, ChildProcess process)
    {
        Port = port;
        _process = process;
    }

    public static bool IsInstalled { get; } = (System.Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    public int Port { get; }

    public override string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    public static new async Task<RedisServerProcess> StartAsync()
    {
        var port = FreePort();
        return new RedisServerProcess(port, await LaunchAsync(port));
    }

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>Starts again, empty, on the same port.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = await LaunchAsync(Port);
    }

    public void Signal(int signal) => _process.Signal(signal);

    public override async ValueTask DisposeAsync()
    {
        // One that was stopped would not hear of its end.
        _process.Signal(18);
        await _process.DisposeAsync();
    }

    private static async Task<ChildProcess> LaunchAsync(int port)
    {
        var process = ChildProcess.Start(
            "redis-server",
            ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", string.Empty, "--appendonly", "no"],
            []);
        await process.LineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        return process;
    }
}
