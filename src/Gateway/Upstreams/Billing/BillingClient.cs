using System.Net;
using Gateway.AccessTokens;
using Gateway.Observability;
using Gateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Gateway.Upstreams.Billing;

/// <summary>The Billing API, typed. Every call carries the gateway's access token; without one nothing is sent.</summary>
internal sealed partial class BillingClient(
    UpstreamTransport transport, AccessTokenProvider tokens, IOptions<BillingOptions> options, TimeProvider time, ILogger<BillingClient> logger)
{
    /// <summary>There is no token to call with: whoever gave up waiting gave up waiting for that.</summary>
    public bool LacksToken => !tokens.HasToken;

    /// <summary>
    /// The components of a product in Billing's order; a null value means that Billing knows no such product. (1) No token, no call.
    /// (2) A 401 means that the token was revoked or its key rotated: it is renewed once and the call repeated. (3) If the provider
    /// will not renew it, or the new one is refused too, the 401 stands and is a rejection.
    /// </summary>
    /// <param name="request">Which.</param>
    /// <param name="waits">Where is noted what was waited for: the token, Billing.</param>
    /// <param name="cancellationToken">The deadline of the load.</param>
    public async Task<UpstreamResult<IReadOnlyList<BillingComponent>?>> ListComponentsAsync(
        ComponentsRequest request, RequestTimings waits, CancellationToken cancellationToken)
    {
        // 1
        var token = await WaitForAsync(tokens.GetAsync(cancellationToken), waits);
        if (token is null)
        {
            return UpstreamResult.Failed<IReadOnlyList<BillingComponent>?>(UpstreamFailure.TokenUnavailable);
        }

        using var call = transport.Health.Begin();
        var read = Read(request, await SendAuthorizedAsync(token, request, waits, cancellationToken));
        call.End(read.Failure?.Name());
        return read;
    }

    private UpstreamResult<IReadOnlyList<BillingComponent>?> Read(ComponentsRequest request, UpstreamResult<UpstreamResponse> result)
    {
        if (!result.TryGet(out var answer, out var failure))
        {
            return UpstreamResult.Failed<IReadOnlyList<BillingComponent>?>(failure);
        }

        if (answer.Status == HttpStatusCode.NotFound)
        {
            return UpstreamResult.Of<IReadOnlyList<BillingComponent>?>(null);
        }

        if (answer.Failure is { } refused)
        {
            Log.Refused(logger, transport.Health.FailureLevel, (int)answer.Status, request.ProductId);
            return UpstreamResult.Failed<IReadOnlyList<BillingComponent>?>(refused);
        }

        if (BillingPayload.Read(answer.Json, request.ProductId) is not { } components)
        {
            transport.Health.LastCause = UpstreamFailure.BadPayload.Name();
            Log.BadPayload(logger, transport.Health.FailureLevel, request.ProductId, answer.Body.Length);
            return UpstreamResult.Failed<IReadOnlyList<BillingComponent>?>(UpstreamFailure.BadPayload);
        }

        return UpstreamResult.Of<IReadOnlyList<BillingComponent>?>(components);
    }

    private async Task<UpstreamResult<UpstreamResponse>> SendAuthorizedAsync(
        AccessToken token, ComponentsRequest request, RequestTimings waits, CancellationToken cancellationToken)
    {
        var result = await SendWithAsync(token);
        if (!result.TryGet(out var answer, out _) || answer.Status != HttpStatusCode.Unauthorized)
        {
            return result;
        }

        // 2
        var renewed = await WaitForAsync(tokens.RenewRejectedAsync(token, cancellationToken), waits);
        if (renewed is null)
        {
            return UpstreamResult.Failed<UpstreamResponse>(UpstreamFailure.TokenUnavailable);
        }

        // 3
        return ReferenceEquals(renewed, token) ? result : await SendWithAsync(renewed);

        Task<UpstreamResult<UpstreamResponse>> SendWithAsync(AccessToken bearer)
        {
            var authorization = KeyValuePair.Create(HeaderNames.Authorization, bearer.Header);
            return transport.SendAsync(PathOf(request), request.Sandbox ? [authorization, KeyValuePair.Create("sandbox", "true")] : [authorization], waits, cancellationToken);
        }
    }

    /// <summary>Whoever's time ran out, what was missing is the token: that is the failure to tell.</summary>
    private async ValueTask<AccessToken?> WaitForAsync(ValueTask<AccessToken?> token, RequestTimings waits)
    {
        var wait = waits.Open(RequestTimings.Token, time.GetTimestamp());
        try
        {
            return await token;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            wait.Close(time.GetTimestamp());
        }
    }

    private string PathOf(ComponentsRequest request)
    {
        var path = $"v1/products/{Uri.EscapeDataString(request.ProductId)}/components?filter_status={Uri.EscapeDataString(request.Status)}";
        return request.Language is { } language ? $"{path}&{options.Value.LanguageParameter}={language}" : path;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1101, Message = "Billing answered {StatusCode} for product {ProductId}")]
        public static partial void Refused(ILogger logger, LogLevel level, int statusCode, string productId);

        [LoggerMessage(EventId = 1102, Message = "Billing's answer for product {ProductId} ({Bytes} bytes) is not of the documented shape")]
        public static partial void BadPayload(ILogger logger, LogLevel level, string productId, int bytes);
    }
}

/// <summary>Which components of which product: everything that Billing's answer depends on.</summary>
/// <param name="ProductId">Billing's product id.</param>
/// <param name="Status">Billing's <c>filter_status</c>, such as <c>active</c>.</param>
/// <param name="Language">Two-letter language, or null to leave it to Billing.</param>
/// <param name="Sandbox">Ask for sandbox data.</param>
internal sealed record ComponentsRequest(string ProductId, string Status, string? Language, bool Sandbox);
