using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A proxy as networks have it on the way out: <c>CONNECT</c> for https, the absolute form for http, Basic authentication if asked for. It
/// refuses <c>forbidden.example.com</c>, and says 502 for what it cannot reach.
/// </summary>
internal sealed class ForwardProxy : IAsyncDisposable
{
    public const string User = "egress-user";

    /// <summary>With what an address cannot carry as it is.</summary>
    public const string Password = "egress p@ss:word/#1";

    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<string> _passed = new();
    private readonly string? _authorization;
    private readonly RawUpstream _server;

    public ForwardProxy(bool wantsCredentials = false)
    {
        _authorization = wantsCredentials ? "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")) : null;
        _server = new RawUpstream(AnswerAsync);
    }

    /// <summary><c>http://HOST:PORT</c>.</summary>
    public string Address => _server.Address.TrimEnd('/');

    public string AddressWithCredentials => $"http://{User}:{Uri.EscapeDataString(Password)}@{new Uri(Address).Authority}";

    /// <summary>What it let through: <c>CONNECT host:port</c>, or method and absolute address.</summary>
    public IReadOnlyList<string> Passed => [.. _passed];

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _server.DisposeAsync();
        _ended.Dispose();
    }

    /// <summary>False ends the connection.</summary>
    private async Task<bool> AnswerAsync(string head, Stream client)
    {
        var lines = head.Split("\r\n");
        var (method, target) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1]);
        if (_authorization is not null && !lines.Contains("Proxy-Authorization: " + _authorization))
        {
            // What else the request has, such as a body, is not read.
            await WriteAsync(client, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"egress\"\r\nContent-Length: 0\r\n\r\n");
            return method == "CONNECT";
        }

        var destination = new Uri(method == "CONNECT" ? $"https://{target}/" : target);
        if (destination.Host == "forbidden.example.com")
        {
            await WriteAsync(client, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            return true;
        }

        using var server = new TcpClient();
        try
        {
            await server.ConnectAsync(destination.IdnHost, destination.Port, _ended.Token);
        }
        catch (SocketException)
        {
            await WriteAsync(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
            return true;
        }

        _passed.Enqueue($"{method} {target}");
        await using var upstream = server.GetStream();
        if (method == "CONNECT")
        {
            await WriteAsync(client, "HTTP/1.1 200 Connection established\r\n\r\n");
        }
        else
        {
            // One request a connection, so that the next one is read again.
            var headers = lines.Skip(1).Where(line => line.Length > 0 && !line.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase) && !line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase));
            await WriteAsync(upstream, $"{method} {destination.PathAndQuery} HTTP/1.1\r\n{string.Join("\r\n", headers)}\r\nConnection: close\r\n\r\n");
        }

        var up = client.CopyToAsync(upstream, _ended.Token);
        await Task.WhenAny(up, upstream.CopyToAsync(client, _ended.Token));
        return false;
    }

    private Task WriteAsync(Stream to, string text) => to.WriteAsync(Encoding.Latin1.GetBytes(text), _ended.Token).AsTask();
}
