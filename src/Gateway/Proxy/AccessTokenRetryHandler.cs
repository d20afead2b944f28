using System.Net;
using Gateway.AccessTokens;
using Microsoft.Net.Http.Headers;

namespace Gateway.Proxy;

/// <summary>
/// A 401 means that the token was revoked or its key rotated: it is replaced, and a request without a body that may be repeated is
/// sent once more. Requests that carry no token of ours pass through.
/// </summary>
internal sealed class AccessTokenRetryHandler(AccessTokenProvider tokens, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !request.Options.TryGetValue(AccessTokenTransform.Attached, out var rejected))
        {
            return response;
        }

        var renewed = await tokens.RenewRejectedAsync(rejected, cancellationToken);
        if (renewed is null || ReferenceEquals(renewed, rejected) || request.Content is not null || !request.Method.IsIdempotent())
        {
            return response;
        }

        response.Dispose();
        using var again = new HttpRequestMessage(request.Method, request.RequestUri) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            again.Headers.TryAddWithoutValidation(name, values);
        }

        again.Headers.Remove(HeaderNames.Authorization);
        again.Headers.TryAddWithoutValidation(HeaderNames.Authorization, renewed.Header);
        again.Options.Set(AccessTokenTransform.Attached, renewed);
        return await base.SendAsync(again, cancellationToken);
    }
}
