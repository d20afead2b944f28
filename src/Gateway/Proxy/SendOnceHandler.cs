namespace Gateway.Proxy;

/// <summary>
/// A call that is not idempotent is sent once. <see cref="SocketsHttpHandler"/> sends a request without content again when the reused
/// connection was lost, also after the upstream has read it; once it has begun to write a content, even an empty one, it does not.
/// On the wire nothing changes: such a request has <c>Content-Length: 0</c> either way.
/// </summary>
internal sealed class SendOnceHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Method.IsIdempotent())
        {
            request.Content ??= new ByteArrayContent([]);
        }

        return base.SendAsync(request, cancellationToken);
    }
}
