using System.Diagnostics;
using Gateway.Observability;

namespace Gateway.AccessTokens;

/// <summary>
/// Which token to use, and when to get another. In order: (1) this replica's memory, (2) the one in Redis, (3) one request to the
/// token endpoint, however many callers and replicas wait: a lease in Redis says which replica asks, and the others wait for what it
/// finds. Near the end of a token's life this happens in the background, and nobody waits. A failed request is never cached;
/// repeated ones back off. No token means no call.
/// </summary>
internal sealed partial class AccessTokenProvider(
    ITokenEndpoint endpoint, AccessTokenStore store, TimeProvider time, ILogger<AccessTokenProvider> logger) : IAsyncDisposable
{
    /// <summary>A load runs on this, never on a caller's cancellation: others may be waiting for it.</summary>
    internal static readonly TimeSpan LoadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A token obtained because of a 401 is not renewed for another within this: a path that always answers 401 must not burn tokens.</summary>
    internal static readonly TimeSpan RejectionGuard = TimeSpan.FromSeconds(30);

    /// <summary>A lease outlives the load it covers, so that it does not end while its holder is still asking.</summary>
    private static readonly TimeSpan LeaseLife = LoadTimeout + TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private AccessToken? _current;
    private AccessToken? _rejected;
    private Task<AccessToken?>? _load;
    private int _failures;
    private TimeSpan _notBefore;
    private TimeSpan _renewAt;

    /// <summary>The token endpoint, as this replica's requests find it.</summary>
    public DependencyHealth Health { get; } = new("authorization", time, logger);

    /// <summary>How old the token in use is and how long it still lives; null if there is none.</summary>
    public (TimeSpan Age, TimeSpan Left)? TokenAge
    {
        get
        {
            lock (_gate)
            {
                var now = time.Monotonic();
                return IsUsable(_current) ? (now - _current!.ObtainedAt, _current.ExpiresAt - now) : null;
            }
        }
    }

    /// <summary>There is a token to call with, without waiting.</summary>
    public bool HasToken
    {
        get
        {
            lock (_gate)
            {
                return IsUsable(_current);
            }
        }
    }

    /// <summary>A usable token, or null if none can be had now. The wait ends with <paramref name="cancellationToken"/>; the load goes on.</summary>
    public ValueTask<AccessToken?> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!IsUsable(_current))
            {
                return new(LoadOnce().WaitAsync(cancellationToken));
            }

            if (time.Monotonic() >= _renewAt && time.Monotonic() >= _notBefore)
            {
                _ = LoadOnce();
            }

            return new(_current);
        }
    }

    /// <summary>
    /// An upstream answered 401 to <paramref name="rejected"/>. Returns another token to try once more; null if none can be had; or
    /// the same instance if it will not be renewed, because it was itself obtained for a 401 a moment ago.
    /// </summary>
    public async ValueTask<AccessToken?> RenewRejectedAsync(AccessToken rejected, CancellationToken cancellationToken)
    {
        // Twice, because the first wait may join a load that began before the rejection and read the same token again.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            Task<AccessToken?> load;
            lock (_gate)
            {
                if (IsUsable(_current) && _current!.Value != rejected.Value)
                {
                    return _current;
                }

                if (rejected.FollowsRejection && time.Monotonic() - rejected.ObtainedAt < RejectionGuard)
                {
                    return rejected;
                }

                _current = null;
                _rejected = rejected;
                load = LoadOnce();
            }

            if (await load.WaitAsync(cancellationToken) is var token && token?.Value != rejected.Value)
            {
                return token;
            }
        }

        return null;
    }

    /// <summary>Ends what is loading and gives the lease back, so that a replica that is stopped keeps no other one waiting.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Task? load;
        lock (_gate)
        {
            load = _load;
        }

        if (load is not null)
        {
            // Nothing is left of it but commands to Redis, which have a time-out.
            await load.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stopping.Dispose();
    }

    private bool IsUsable(AccessToken? token) => token is not null && time.Monotonic() < token.UsableUntil;

    /// <summary>Joins the load under way or begins one, unless the host stops. Only with the gate held.</summary>
    private Task<AccessToken?> LoadOnce() =>
        _load is { IsCompleted: false } ? _load
        : _stopping.IsCancellationRequested ? Task.FromResult<AccessToken?>(null)
        : _load = Task.Run(LoadAsync);

    private async Task<AccessToken?> LoadAsync()
    {
        AccessToken? rejected;
        AccessToken? current;
        lock (_gate)
        {
            (rejected, current) = (_rejected, _current);
        }

        // 2
        if (await AdoptSharedAsync(rejected, current) is { } shared)
        {
            return shared;
        }

        if (rejected is not null)
        {
            Renewed("rejected");
            Log.Rejected(logger);
            await store.RemoveAsync(rejected);
        }

        // 3
        if (time.Monotonic() < _notBefore)
        {
            return null;
        }

        var (lease, peers) = await store.TakeLeaseOrWaitAsync(LeaseLife, () => AdoptSharedAsync(rejected, current), _stopping.Token);
        try
        {
            return peers ?? (_stopping.IsCancellationRequested ? null : await ObtainAsync(rejected));
        }
        finally
        {
            if (lease is not null)
            {
                await store.ReleaseLeaseAsync(lease);
            }
        }
    }

    /// <summary>The token in Redis, if it is not the rejected one and is newer than the one that is to be renewed.</summary>
    private async Task<AccessToken?> AdoptSharedAsync(AccessToken? rejected, AccessToken? current)
    {
        var shared = await store.GetAsync();
        var isDue = IsUsable(current) && time.Monotonic() >= shared?.RenewFrom;
        if (!IsUsable(shared) || isDue || shared!.Value == rejected?.Value)
        {
            return null;
        }

        Renewed("adopted");
        return Adopt(shared);
    }

    private async Task<AccessToken?> ObtainAsync(AccessToken? rejected)
    {
        using var span = Metrics.Traces.StartActivity("token");
        var issued = await RequestAsync();
        if (issued is null)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            Renewed("failed");
            BackOff();
            return null;
        }

        Renewed("obtained");
        var now = time.Monotonic();
        var token = new AccessToken(issued.Value, now, now + issued.Life, followsRejection: rejected is not null);
        _failures = 0;
        Log.Obtained(logger, (long)issued.Life.TotalSeconds);
        Adopt(token);
        await store.SetAsync(token);
        return token;
    }

    private async Task<IssuedToken?> RequestAsync()
    {
        using var timeout = new CancellationTokenSource(LoadTimeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        using var call = Health.Begin();
        try
        {
            var issued = await endpoint.RequestAsync(deadline.Token).WaitAsync(deadline.Token);
            call.End(issued is null ? "failed" : null);
            Health.LastCause = issued is null ? endpoint.LastFailure : Health.LastCause;
            return issued;
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            Health.LastCause = "timeout";
            Log.TimedOut(logger, LoadTimeout.TotalSeconds);
            return null;
        }
    }

    private static void Renewed(string result) => Metrics.TokenRenewals.Add(1, Metrics.Tag("result", result));

    private AccessToken Adopt(AccessToken token)
    {
        lock (_gate)
        {
            _current = token;
            _rejected = null;

            // Not all replicas at the same moment.
            _renewAt = token.RenewFrom + ((token.ExpiresAt - token.ObtainedAt) * (0.05 * Random.Shared.NextDouble()));
        }

        return token;
    }

    /// <summary>The first failure may be chance and is tried again at once; from the second on the pause doubles, with jitter.</summary>
    private void BackOff()
    {
        if (++_failures < 2)
        {
            return;
        }

        // Only a load comes here, and there is one at a time; what is read elsewhere is written with the gate held.

        var pause = FirstBackOff * Math.Pow(2, Math.Min(_failures - 2, 10));
        pause = (pause < LongestBackOff ? pause : LongestBackOff) * (0.5 + (Random.Shared.NextDouble() / 2));
        lock (_gate)
        {
            _notBefore = time.Monotonic() + pause;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Information, "Obtained an access token that lives {LifeSeconds} s")]
        public static partial void Obtained(ILogger logger, long lifeSeconds);

        [LoggerMessage(3102, LogLevel.Warning, "An upstream refused the access token; it is replaced")]
        public static partial void Rejected(ILogger logger);

        [LoggerMessage(3103, LogLevel.Warning, "The token endpoint did not answer within {Seconds} s")]
        public static partial void TimedOut(ILogger logger, double seconds);
    }
}
