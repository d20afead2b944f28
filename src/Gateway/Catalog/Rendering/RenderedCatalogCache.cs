using System.Diagnostics;
using Gateway.Caching;
using Gateway.Catalog.Drift;
using Gateway.Observability;
using Gateway.Problems;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Catalog.Rendering;

/// <summary>
/// Rendered catalogs. One is reused while it is fresh; one that is incomplete or made of stale parts only while none of
/// its parts has changed, and for 5 s at most. Otherwise it is made anew, once for all who wait, which with everything in
/// memory is a matter of microseconds. A purge makes all of them anew.
/// </summary>
internal sealed class RenderedCatalogCache(
    CatalogAggregator aggregator, PriceDrift drift, PurgeLog purges, IMemoryCache memory, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Request, long Epoch), Aggregation> _aggregations = [];

    /// <summary>An answer that is as good as a new one would be; null if there is none.</summary>
    public RenderedCatalog? TryGetCurrent(CatalogRequest request) =>
        memory.TryGetValue(request.Key, out RenderedCatalog? catalog) && IsCurrent(catalog!) ? catalog : null;

    /// <summary>A new answer would be put together of what is in memory.</summary>
    public bool IsInMemory(CatalogRequest request) => aggregator.IsInMemory(request);

    /// <summary>
    /// A new answer, made once for all who ask for it at the same time. The making ends when the last of them leaves: calls under way go
    /// on for the cache, no other begins, and what it took to wait is free for others.
    /// </summary>
    public async Task<CatalogResult> AggregateAsync(CatalogRequest request, CancellationToken cancellationToken)
    {
        var aggregation = JoinOrStart(request);
        try
        {
            return await aggregation.Result.WaitAsync(cancellationToken);
        }
        finally
        {
            Leave(aggregation);
        }
    }

    private bool IsCurrent(RenderedCatalog catalog) =>
        time.Monotonic() < catalog.UsableUntil
        && catalog.Epoch == purges.Epoch
        && catalog.IsUnchanged;

    private Aggregation JoinOrStart(CatalogRequest request)
    {
        lock (_gate)
        {
            var key = (request.Key, purges.Epoch);
            if (!_aggregations.TryGetValue(key, out var aggregation))
            {
                aggregation = new Aggregation(key);
                aggregation.Result = Task.Run(() => AggregateAsync(request, aggregation));
                _aggregations.Add(key, aggregation);
            }

            aggregation.Waiting++;
            return aggregation;
        }
    }

    private void Leave(Aggregation aggregation)
    {
        lock (_gate)
        {
            if (--aggregation.Waiting > 0 || aggregation.Result.IsCompleted)
            {
                return;
            }

            // Who comes now begins another.
            Forget(aggregation);
        }

        aggregation.Cancel();
    }

    private async Task<CatalogResult> AggregateAsync(CatalogRequest request, Aggregation aggregation)
    {
        using var span = Metrics.Traces.StartActivity("catalog");
        var timings = new RequestTimings();
        try
        {
            var result = await aggregator.AggregateAsync(request, timings, aggregation.Token);
            if (result.Response is not { } response)
            {
                span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", result.Problem!.Code);
                return new CatalogResult(Catalog: null, result.Problem, IsHit: false, timings);
            }

            span?.SetTag("gateway.catalog.items", response.Total).SetTag("gateway.catalog.complete", response.Completeness.Complete);

            drift.Observe(request, response);
            var catalog = new RenderedCatalog(result, response, time.Monotonic(), aggregation.Key.Epoch);

            // What is missing because nobody waited for it is nothing to be shown to others.
            if (!aggregation.IsCancellationRequested)
            {
                Keep(request, catalog);
            }

            return new CatalogResult(catalog, Problem: null, IsHit: !result.Loaded, timings);
        }
        finally
        {
            lock (_gate)
            {
                Forget(aggregation);
            }
        }
    }

    private void Forget(Aggregation aggregation)
    {
        if (_aggregations.TryGetValue(aggregation.Key, out var current) && ReferenceEquals(current, aggregation))
        {
            _aggregations.Remove(aggregation.Key);
        }
    }

    private void Keep(CatalogRequest request, RenderedCatalog catalog)
    {
        using var slot = memory.CreateEntry(request.Key);
        slot.Value = catalog;

        // Anybody can make up parameters: what names them must not push other entries out of memory.
        slot.Priority = request.IgnoredParameters.Count > 0 ? CacheItemPriority.Low : CacheItemPriority.Normal;

        // With both compressed bodies, which are about a tenth each.
        slot.Size = catalog.Identity.Length * 5L / 4;
        slot.AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(Math.Max(1, (catalog.UsableUntil - catalog.BuiltAt).Ticks));
    }

    /// <summary>An answer that is being put together; cancelled when the last who waited has left.</summary>
    private sealed class Aggregation((string Request, long Epoch) key) : CancellationTokenSource
    {
        public (string Request, long Epoch) Key => key;

        public Task<CatalogResult> Result { get; set; } = null!;

        /// <summary>How many wait for it.</summary>
        public int Waiting { get; set; }
    }
}

/// <summary>An answer ready to be sent, or the problem.</summary>
/// <param name="Catalog">Null if <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Why there is none.</param>
/// <param name="IsHit">No upstream had to be asked.</param>
/// <param name="Timings">Where the time went.</param>
internal sealed record CatalogResult(RenderedCatalog? Catalog, Problem? Problem, bool IsHit, RequestTimings Timings);
