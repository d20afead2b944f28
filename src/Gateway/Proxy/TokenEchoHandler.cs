using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Gateway.Proxy;

/// <summary>
/// An answer that holds the access token attached to its request does not pass. Before anything goes to the caller the reason phrase,
/// the headers and the first read of the body are searched; of <c>text/event-stream</c> only the former, because its first event may be
/// long in coming. The first 16 KiB of a body are searched as they stream, and the trailers. Encoded bodies are searched as they are.
/// </summary>
internal sealed class TokenEchoHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (!request.Options.TryGetValue(AccessTokenTransform.Attached, out var token) || response.StatusCode == HttpStatusCode.SwitchingProtocols)
        {
            return response;
        }

        try
        {
            if ((response.ReasonPhrase?.Contains(token.Value, StringComparison.Ordinal) ?? false) || Hold(response.Headers, token.Value) || Hold(response.Content.Headers, token.Value))
            {
                throw new TokenEchoException();
            }

            if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent or HttpStatusCode.NotModified)
            {
                // Has no body, whatever length it claims; what may follow is not passed on.
                return response;
            }

            var body = new TokenEchoStream(
                await response.Content.ReadAsStreamAsync(cancellationToken),
                Encoding.ASCII.GetBytes(token.Value),
                () => Hold(response.TrailingHeaders, token.Value));
            var content = new StreamContent(body);
            foreach (var (name, values) in response.Content.Headers.NonValidated)
            {
                content.Headers.TryAddWithoutValidation(name, values);
            }

            var isEventStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
            response.Content = content;
            if (!isEventStream)
            {
                await body.FillAsync(cancellationToken);
            }

            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static bool Hold(HttpHeaders headers, string token)
    {
        foreach (var (_, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                if (value.Contains(token, StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
