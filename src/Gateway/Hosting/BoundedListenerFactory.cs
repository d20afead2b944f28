using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// Holds each address to <see cref="KestrelServerLimits.MaxConcurrentConnections"/> where connections are accepted: one more is closed before
/// the next is taken. Kestrel's own check comes later, on another thread, and a burst has used up the descriptors by then.
/// </summary>
internal sealed partial class BoundedListenerFactory(
    IOptions<SocketTransportOptions> transport, IOptions<KestrelServerOptions> kestrel, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(transport, loggers);

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var listener = await _sockets.BindAsync(endpoint, cancellationToken);
        return kestrel.Value.Limits.MaxConcurrentConnections is { } most ? new Listener(listener, most, loggers.CreateLogger<BoundedListenerFactory>()) : listener;
    }

    private sealed class Listener(IConnectionListener inner, long most, ILogger logger) : IConnectionListener
    {
        private long _open;
        private bool _isFull;

        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await inner.AcceptAsync(cancellationToken) is { } connection)
            {
                if (Interlocked.Increment(ref _open) <= most)
                {
                    _isFull &= Interlocked.Read(ref _open) > most / 2;
                    connection.ConnectionClosed.UnsafeRegister(static listener => Interlocked.Decrement(ref ((Listener)listener!)._open), this);
                    return connection;
                }

                Interlocked.Decrement(ref _open);
                if (!_isFull)
                {
                    // Once, until it has been half empty.
                    _isFull = true;
                    Log.Full(logger, inner.EndPoint, most);
                }

                connection.Abort(new ConnectionAbortedException());
                await connection.DisposeAsync();
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(5501, LogLevel.Warning, "{Address} has {Most} connections (Kestrel:Limits:MaxConcurrentConnections): more are closed")]
        public static partial void Full(ILogger logger, EndPoint address, long most);
    }
}
