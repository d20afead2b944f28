using System.Text;
using Gateway.AccessTokens;
using Gateway.Egress;
using Gateway.Observability;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Proxy;

/// <summary>
/// YARP's clients with the gateway's rules: connections are renewed so that DNS changes are followed, no trace context to third parties, the
/// same way out as the gateway's own calls.
/// </summary>
internal sealed class ProxyHttpClientFactory(
    AccessTokenProvider tokens, EgressProxy egress, TraceContext traces, ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        if (context.NewConfig.WebProxy is null)
        {
            // YARP switches the environment's proxies off.
            egress.ApplyTo(handler);
        }

        handler.PooledConnectionLifetime = TimeSpan.FromMinutes(2);
        handler.ConnectTimeout = TimeSpan.FromSeconds(5);

        // As the server reads them: by default a client refuses to send anything but ASCII, and what a caller put into a header would
        // look like a failure of the upstream's.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.UTF8;
        handler.ActivityHeadersPropagator = traces.Outbound;
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        var way = base.WrapHandler(context, handler);
        way = context.NewConfig.WebProxy is null ? egress.Around(way) : way;
        return new AccessTokenRetryHandler(tokens, new TokenEchoHandler(new SendOnceHandler(way)));
    }
}
