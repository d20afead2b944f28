using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A real Varnish of the machine's.</summary>
internal sealed class VarnishProcess : IAsyncDisposable
{
    private const string Program = "/usr/sbin/varnishd";

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;

    private VarnishProcess(ChildProcess process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
    }

    public static bool IsInstalled { get; } = File.Exists(Program);

    public Uri Address { get; }

    /// <summary>Before an upstream.</summary>
    /// <param name="upstream">What it asks.</param>
    /// <param name="subroutines">VCL, above Varnish's own.</param>
    public static async Task<VarnishProcess> StartAsync(Uri upstream, string subroutines)
    {
        var port = RedisServer.FreePort();
        var folder = Directory.CreateTempSubdirectory("gateway-varnish-");
        var configuration = Path.Combine(folder.FullName, "edge.vcl");
        await File.WriteAllTextAsync(configuration, string.Create(CultureInfo.InvariantCulture, $$"""
            vcl 4.1;
            backend default { .host = "{{upstream.Host}}"; .port = "{{upstream.Port}}"; }
            {{subroutines}}
            """), TestContext.Current.CancellationToken);

        // No jail and no management: it is this test's alone.
        var varnish = new VarnishProcess(
            ChildProcess.Start(
                Program,
                ["-j", "none", "-F", "-T", "none", "-n", Path.Combine(folder.FullName, "work"), "-a", $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}", "-f", configuration, "-s", "malloc,16m"],
                []),
            folder,
            port);
        await varnish._process.LineAsync(line => line.Contains("said Child starts", StringComparison.Ordinal));
        return varnish;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
