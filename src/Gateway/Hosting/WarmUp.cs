using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Observability;
using Gateway.Security;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// Does, before a replica says that it is ready, what its first customers would wait for: it gets its token, takes the configured products
/// from Redis or the upstreams, and sends itself one request over its own socket. What is not done within <c>Hosting:WarmUpTimeout</c> is
/// left to the customers: the replica is ready, and degraded until it has its token and the products all the same.
/// </summary>
internal sealed partial class WarmUp(
    AccessTokenProvider tokens, RenderedCatalogCache catalogs, RedisConnection redis, PurgeLog purges, CustomerCountry country,
    IOptions<CatalogOptions> catalog, IOptions<HostingOptions> hosting, IServer server, IConfiguration configuration,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<WarmUp> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan RedisPoll = TimeSpan.FromMilliseconds(5);

    private volatile string _state = "running";

    /// <summary>The catalog of <c>GET /catalog</c> without parameters.</summary>
    private CatalogRequest Request { get; } = new()
    {
        Products = catalog.Value.Products,
        Country = country.Of(new HeaderDictionary()).Country,
        CountrySource = CountrySource.Default,
    };

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (_state == "incomplete" && IsWarm)
        {
            _state = "done";
        }

        return Task.FromResult(_state switch
        {
            "running" => HealthCheckResult.Unhealthy(_state),
            "incomplete" => HealthCheckResult.Degraded(_state),
            _ => HealthCheckResult.Healthy(_state),
        });
    }

    private bool IsWarm => tokens.HasToken && catalogs.IsInMemory(Request);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (hosting.Value.WarmUpTimeout == TimeSpan.Zero)
        {
            _state = "off";
            return;
        }

        var started = time.GetTimestamp();
        using var patience = new CancellationTokenSource(hosting.Value.WarmUpTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken);
        try
        {
            // Beside the start of the server.
            await LoadAsync(either.Token);
            await StartedAsync(either.Token);
            await AnswerAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // Out of time, or told to stop.
        }
        catch (Exception exception)
        {
            Log.Broken(logger, exception.GetType().Name);
        }

        _state = IsWarm ? "done" : "incomplete";
        var seconds = Math.Round(time.GetElapsedTime(started).TotalSeconds, 3);
        if (IsWarm)
        {
            Log.Done(logger, seconds);
        }
        else if (!stoppingToken.IsCancellationRequested)
        {
            Log.Incomplete(logger, seconds, tokens.HasToken ? "the configured products" : "the access token");
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        // What lies in Redis is not asked for again.
        while (redis.State is RedisState.Connecting || (redis.State is RedisState.Up && !purges.IsSynced))
        {
            await Task.Delay(RedisPoll, time, cancellationToken);
        }

        await tokens.GetAsync(cancellationToken);
        if (Request.Products.Count > 0)
        {
            await catalogs.AggregateAsync(Request, cancellationToken);
        }
    }

    private Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lifetime.ApplicationStarted.UnsafeRegister(static started => ((TaskCompletionSource)started!).TrySetResult(), started);
        return started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Twice: the second is answered as most are. Where it listens by https alone that is left out: its certificate is not for this address.</summary>
    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        int[] others = [ManagementEndpoint.Port(configuration), .. HealthProbe.Http2Ports(configuration)];
        var address = server.Features.Get<IServerAddressesFeature>()?.Addresses.Select(HealthProbe.Local).OfType<Uri>()
            .FirstOrDefault(address => address.Scheme == Uri.UriSchemeHttp && !others.Contains(address.Port));
        if (address is null)
        {
            return;
        }

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ActivityHeadersPropagator = TraceContext.Silent });
        for (var turn = 0; turn < 2; turn++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, "/catalog"));
            request.Headers.UserAgent.ParseAdd("gateway-warm-up");
            if (HostFilter.AnyAllowed(configuration) is { } host)
            {
                request.Headers.Host = host;
            }

            using var response = await client.SendAsync(request, cancellationToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5401, LogLevel.Information, "Warmed up in {Seconds} s")]
        public static partial void Done(ILogger logger, double seconds);

        [LoggerMessage(5402, LogLevel.Warning, "Not warmed up after {Seconds} s: {Missing:l} could not be had. Ready all the same, and slower at first")]
        public static partial void Incomplete(ILogger logger, double seconds, string missing);

        [LoggerMessage(5403, LogLevel.Warning, "The warm-up failed ({Reason:l})")]
        public static partial void Broken(ILogger logger, string reason);
    }
}
