using System.Net;
using System.Text;
using Gateway.Egress;
using Gateway.Observability;
using Microsoft.Extensions.Options;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.Extensibility;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Gateway.AccessTokens;

/// <summary>
/// The client-credentials grant through MSAL, bent to what PrestaShop documents: HTTP Basic client authentication with form-url-encoded
/// id and secret (RFC 6749 §2.3.1) and an <c>audience</c> field; <see cref="TokenServerHandler"/> is what it sees of the server. MSAL's
/// own cache is bypassed: it never keeps a token of five minutes or less and knows nothing of the audience; when to ask is
/// <see cref="AccessTokenProvider"/>'s business.
/// </summary>
internal sealed partial class MsalTokenEndpoint : ITokenEndpoint, IMsalHttpClientFactory, IDisposable
{
    private readonly Func<AccessTokensOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<MsalTokenEndpoint> _logger;
    private readonly HttpClient _client;
    private volatile Tuple<AccessTokensOptions, IConfidentialClientApplication>? _application;

    public MsalTokenEndpoint(IOptionsMonitor<AccessTokensOptions> options, EgressProxy egress, TimeProvider time, ILogger<MsalTokenEndpoint> logger)
        : this(() => options.CurrentValue, time, logger, egress.Around(CreateHandler(egress)))
    {
    }

    internal MsalTokenEndpoint(Func<AccessTokensOptions> options, TimeProvider time, ILogger<MsalTokenEndpoint> logger, HttpMessageHandler handler)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _client = new HttpClient(new TokenServerHandler(options, time, handler))
        {
            // The caller's token bounds the call; this only catches a caller without one.
            Timeout = TimeSpan.FromSeconds(30),
            MaxResponseContentBufferSize = 1024 * 1024,
        };
    }

    public async Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken)
    {
        try
        {
            var (options, application) = Application();
            var result = await application
                .AcquireTokenForClient(options.ScopeList)
                .WithForceRefresh(true)
                .OnBeforeTokenRequest(request => PrepareRequest(request, options))
                .ExecuteAsync(cancellationToken);
            if (result.AccessToken.AsSpan().ContainsAnyExceptInRange('!', '~'))
            {
                // No header can carry it: kept, it would spoil every call until it expires.
                return Failed("UnusableToken");
            }

            // What the server said, which MSAL counts from a moment ago.
            var life = TimeSpan.FromSeconds(Math.Round((result.ExpiresOn - _time.GetUtcNow()).TotalSeconds));
            return new IssuedToken(result.AccessToken, life > TimeSpan.Zero ? life : TokenServerHandler.AssumedLife);
        }
        catch (Exception exception) when (FailureCause.Of(exception) is not null)
        {
            // MSAL's own word for all of them is oidc_failure.
            return Failed(FailureCause.Of(exception)!);
        }
        catch (MsalServiceException exception) when (exception.InnerException is not MsalClientException)
        {
            // Never the message or the body: they are the server's text.
            LastFailure = SafeCode(exception.ErrorCode);
            Log.Refused(_logger, exception.StatusCode, LastFailure);
            return null;
        }
        catch (MsalException exception)
        {
            return Failed(SafeCode((exception.InnerException as MsalClientException ?? exception).ErrorCode));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed("timeout");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A third-party library on top of somebody else's answer: whatever it throws, there is no token.
            return Failed(exception.GetType().Name);
        }
    }

    public string? LastFailure { get; private set; }

    HttpClient IMsalHttpClientFactory.GetHttpClient() => _client;

    public void Dispose() => _client.Dispose();

    /// <summary>MSAL's view of the credentials now in use.</summary>
    private Tuple<AccessTokensOptions, IConfidentialClientApplication> Application()
    {
        var options = _options();
        return _application is { } built && built.Item1 == options ? built : _application = Tuple.Create(
            options,
            ConfidentialClientApplicationBuilder
                .Create(options.ClientId)
                .WithClientSecret(options.ClientSecret)
                .WithExperimentalFeatures()
                .WithHttpClientFactory(this, retryOnceOn5xx: false)
                .WithOidcAuthority(options.EffectiveAuthority.AbsoluteUri)
                .Build());
    }

    private static SocketsHttpHandler CreateHandler(EgressProxy egress)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ActivityHeadersPropagator = TraceContext.Silent,
        };
        egress.ApplyTo(handler);
        return handler;
    }

    private static Task PrepareRequest(OnBeforeTokenRequestData request, AccessTokensOptions options)
    {
        request.BodyParameters.Remove("client_secret");
        request.BodyParameters["audience"] = options.Audience;
        var credentials = $"{WebUtility.UrlEncode(options.ClientId)}:{WebUtility.UrlEncode(options.ClientSecret)}";
        request.Headers["Authorization"] = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials));
        return Task.CompletedTask;
    }

    private IssuedToken? Failed(string reason)
    {
        LastFailure = reason;
        Log.Failed(_logger, reason);
        return null;
    }

    /// <summary>An error code may be the server's text too; only what looks like a code is logged.</summary>
    private static string SafeCode(string? code) =>
        code is { Length: > 0 and <= 64 } && code.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? code : "unknown";

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Warning, "The token endpoint answered {StatusCode} ({ErrorCode})")]
        public static partial void Refused(ILogger logger, int statusCode, string errorCode);

        [LoggerMessage(3002, LogLevel.Warning, "The token endpoint gave no token ({Reason})")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
