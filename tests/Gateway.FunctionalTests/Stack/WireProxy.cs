using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// Stands between the gateway and a server that listens on 127.0.0.1, at the same port of 127.0.0.2, and breaks the connection in
/// ways that no server does by itself. It knows nothing of what it carries, so TLS passes too; only the faults named after Redis count
/// commands.
/// </summary>
internal sealed class WireProxy : IAsyncDisposable
{
    public const string Host = "127.0.0.2";

    private static readonly byte[] Gibberish = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\0\u0001\u0002"u8.ToArray();

    private readonly IPEndPoint _here;
    private readonly IPEndPoint _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Socket, Socket> _connections = new();
    private readonly Lock _gate = new();
    private Socket? _listener;
    private volatile WireFault _fault;

    private WireProxy(int port)
    {
        _here = new IPEndPoint(IPAddress.Parse(Host), port);
        _server = new IPEndPoint(IPAddress.Loopback, port);
    }

    public static WireProxy Start(int port)
    {
        var proxy = new WireProxy(port);
        proxy.Listen();
        return proxy;
    }

    /// <summary>From now on; without a fault again all connections begin anew.</summary>
    public void Set(WireFault fault)
    {
        _fault = fault;
        if (fault == WireFault.Refused)
        {
            lock (_gate)
            {
                _listener?.Dispose();
                _listener = null;
            }
        }
        else
        {
            Listen();
        }

        if (fault is WireFault.None or WireFault.Refused)
        {
            foreach (var (client, server) in _connections)
            {
                Reset(client);
                Reset(server);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Set(WireFault.Refused);
        _stopping.Dispose();
    }

    private void Listen()
    {
        lock (_gate)
        {
            if (_listener is not null)
            {
                return;
            }

            _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(_here);
            _listener.Listen(512);
            _ = AcceptAsync(_listener);
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await listener.AcceptAsync(_stopping.Token));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody listens any more.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.NoDelay = server.NoDelay = true;
        _connections[client] = server;
        try
        {
            await server.ConnectAsync(_server, _stopping.Token);
            await Task.WhenAny(SendAsync(client, server), AnswerAsync(server, client));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // One of the two is gone; so is the other.
        }
        finally
        {
            _connections.TryRemove(client, out _);
            client.Dispose();
        }
    }

    private async Task SendAsync(Socket client, Socket server)
    {
        var buffer = new byte[64 * 1024];
        var commands = new RedisCommandCounter();
        while (await client.ReceiveAsync(buffer, _stopping.Token) is > 0 and var count)
        {
            var sent = buffer.AsMemory(0, count);
            var begun = commands.Count(sent.Span);
            switch (_fault)
            {
                case WireFault.BlackHole:
                    break;
                case var fault when ErrorOf(fault) is { } error:
                    await RepeatAsync(client, Encoding.ASCII.GetBytes($"-{error}\r\n"), begun);
                    break;
                case WireFault.RedisWrongType:
                    await RepeatAsync(client, "+OK\r\n"u8.ToArray(), begun);
                    break;
                default:
                    await server.SendAsync(sent, _stopping.Token);
                    break;
            }
        }
    }

    private async Task AnswerAsync(Socket server, Socket client)
    {
        var buffer = new byte[64 * 1024];
        while (await server.ReceiveAsync(buffer, _stopping.Token) is > 0 and var count)
        {
            var answer = buffer.AsMemory(0, count);
            switch (_fault)
            {
                case WireFault.BlackHole or WireFault.RedisWrongType:
                case var fault when ErrorOf(fault) is not null:
                    break;
                case WireFault.Late:
                    await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, _stopping.Token);
                    await client.SendAsync(answer, _stopping.Token);
                    break;
                case WireFault.SlowDrip:
                    for (var at = 0; at < count && _fault == WireFault.SlowDrip; at++)
                    {
                        await client.SendAsync(answer.Slice(at, 1), _stopping.Token);
                        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, _stopping.Token);
                    }

                    break;
                case WireFault.Reset:
                    await client.SendAsync(answer[..(count / 2)], _stopping.Token);
                    Reset(client);
                    return;
                case WireFault.Truncated:
                    await client.SendAsync(answer[..(count / 2)], _stopping.Token);
                    client.Shutdown(SocketShutdown.Both);
                    return;
                case WireFault.Garbage:
                    await client.SendAsync(Gibberish, _stopping.Token);
                    break;
                default:
                    await client.SendAsync(answer, _stopping.Token);
                    break;
            }
        }
    }

    private static string? ErrorOf(WireFault fault) => fault switch
    {
        WireFault.RedisErrors => "ERR out of order",
        WireFault.RedisLoading => "LOADING Redis is loading the dataset in memory",
        WireFault.RedisBusy => "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        WireFault.RedisMisconf => "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        WireFault.RedisNoAuth => "NOAUTH Authentication required.",
        WireFault.RedisClusterDown => "CLUSTERDOWN The cluster is down",
        _ => null,
    };

    private async Task RepeatAsync(Socket client, byte[] reply, int times)
    {
        for (var sent = 0; sent < times; sent++)
        {
            await client.SendAsync(reply, _stopping.Token);
        }
    }

    /// <summary>Closed without a farewell: the other side gets a RST.</summary>
    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Dispose();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Gone already.
        }
    }
}
