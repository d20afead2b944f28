using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A request that no client would clean up on its way out.</summary>
internal static class RawRequest
{
    /// <summary>The status of the answer to a GET of exactly this target.</summary>
    public static async Task<int> StatusAsync(Uri server, string target, string? host = null)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: {host ?? server.Authority}\r\nConnection: close\r\n\r\n"), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken) ?? string.Empty;
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
