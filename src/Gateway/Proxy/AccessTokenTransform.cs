using Gateway.AccessTokens;
using Gateway.Problems;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Proxy;

/// <summary>Attaches the gateway's bearer token. Without one nothing is sent: the answer is <c>tokenUnavailable</c>.</summary>
internal sealed class AccessTokenTransform(AccessTokenProvider tokens, TimeProvider time) : RequestTransform
{
    /// <summary>The token that was attached, for <see cref="AccessTokenRetryHandler"/> and <see cref="TokenEchoHandler"/>.</summary>
    public static readonly HttpRequestOptionsKey<AccessToken> Attached = new("Gateway.AccessToken");

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    public override async ValueTask ApplyAsync(RequestTransformContext context)
    {
        if (await GetAsync(context.CancellationToken) is { } token)
        {
            // As it is: a header that is taken apart and put together again is a copy of the token for every call.
            context.ProxyRequest.Headers.Remove(HeaderNames.Authorization);
            context.ProxyRequest.Headers.TryAddWithoutValidation(HeaderNames.Authorization, token.Header);
            context.ProxyRequest.Options.Set(Attached, token);
        }
        else
        {
            await new ProblemResult(Problem.TokenUnavailable).ExecuteAsync(context.HttpContext);
        }
    }

    private ValueTask<AccessToken?> GetAsync(CancellationToken cancellationToken)
    {
        var asked = tokens.GetAsync(cancellationToken);
        return asked.IsCompletedSuccessfully ? asked : WaitAsync(asked.AsTask());
    }

    private async ValueTask<AccessToken?> WaitAsync(Task<AccessToken?> asked)
    {
        try
        {
            return await asked.WaitAsync(LongestWait, time);
        }
        catch (Exception exception) when (exception is OperationCanceledException or TimeoutException)
        {
            return null;
        }
    }
}
