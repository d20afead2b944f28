using Gateway.AccessTokens;
using Gateway.Problems;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Proxy;

/// <summary>Attaches the gateway's bearer token. Without one nothing is sent: the answer is <c>tokenUnavailable</c>.</summary>
internal sealed class AccessTokenTransform(AccessTokenProvider tokens, TimeProvider time) : RequestTransform
{
    /// <summary>The token that was attached, for <see cref="AccessTokenRetryHandler"/>.</summary>
    public static readonly HttpRequestOptionsKey<AccessToken> Attached = new("Gateway.AccessToken");

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    public override async ValueTask ApplyAsync(RequestTransformContext context)
    {
        if (await GetAsync(context.CancellationToken) is { } token)
        {
            context.ProxyRequest.Headers.Authorization = new("Bearer", token.Value);
            context.ProxyRequest.Options.Set(Attached, token);
        }
        else
        {
            await new ProblemResult(Problem.TokenUnavailable).ExecuteAsync(context.HttpContext);
        }
    }

    private async Task<AccessToken?> GetAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await tokens.GetAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
