using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>Microsoft's Garnet, from the dotnet tool <c>garnet-server</c>; <c>GARNET_SERVER</c> is its path, if it is not in <c>PATH</c>.</summary>
internal sealed class GarnetProcess : RedisServer
{
    private readonly int _port;
    private ChildProcess _process;

    private GarnetProcess(int port, ChildProcess process) => (_port, _process) = (port, process);

    public override string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}");

    public static new async Task<GarnetProcess> StartAsync()
    {
        var port = FreePort();
        return new GarnetProcess(port, await LaunchAsync(port));
    }

    public override Task KillAsync() => _process.KillAsync();

    public override async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = await LaunchAsync(_port);
    }

    public override void Signal(int signal) => _process.Signal(signal);

    public override async ValueTask DisposeAsync()
    {
        _process.Signal(18);
        await _process.DisposeAsync();
    }

    private static async Task<ChildProcess> LaunchAsync(int port)
    {
        var program = System.Environment.GetEnvironmentVariable("GARNET_SERVER") is { Length: > 0 } path ? path : "garnet-server";
        var process = ChildProcess.Start(program, ["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--lua"], []);
        await process.LineAsync(line => line.Contains("Ready to accept connections", StringComparison.Ordinal));
        return process;
    }
}
