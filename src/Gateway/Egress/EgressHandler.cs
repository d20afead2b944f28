using System.Net;
using Gateway.Observability;

namespace Gateway.Egress;

/// <summary>
/// A request that goes through the proxy meets nobody else before its connection stands: what fails until then is the proxy's, and is named so
/// (<see cref="EgressProxyException"/>). A plain http request is read by the proxy itself, and a 407 to it is the proxy's answer, which
/// must not pass for the upstream's.
/// </summary>
internal sealed class EgressHandler(EgressProxy proxy, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        if (proxy.IsBypassed(address))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        var isRead = address.Scheme == Uri.UriSchemeHttp;
        if (isRead)
        {
            request.Headers.ProxyAuthorization = proxy.Authorization(address);
        }

        HttpResponseMessage response;
        try
        {
            response = await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.ProxyTunnelError)
        {
            throw new EgressProxyException(exception);
        }

        if (isRead && response.StatusCode == HttpStatusCode.ProxyAuthenticationRequired)
        {
            response.Dispose();
            throw new EgressProxyException(new HttpRequestException(HttpRequestError.ProxyTunnelError, statusCode: HttpStatusCode.ProxyAuthenticationRequired));
        }

        return response;
    }
}
