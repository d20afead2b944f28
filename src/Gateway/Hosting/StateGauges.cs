using System.Diagnostics.Metrics;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Drift;
using Gateway.Observability;
using Gateway.Security;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Caching.Memory;
using Polly.CircuitBreaker;

namespace Gateway.Hosting;

/// <summary>
/// What is not counted as it happens but looked at when somebody asks: gauges, and the same for <c>/health/details</c>. The gauges end
/// with what they look at.
/// </summary>
internal sealed class StateGauges : IDisposable
{
    private readonly Meter _meter = new(Metrics.Name);
    private readonly (string Name, UpstreamTransport Transport)[] _upstreams;
    private readonly AccessTokenProvider _tokens;
    private readonly RedisConnection _redis;
    private readonly MemoryCache _memory;
    private readonly CatalogDataCache _sources;
    private readonly UpstreamBulkhead _slots;
    private readonly PriceDrift _drift;

    public StateGauges(
        [FromKeyedServices(BillingOptions.Section)] UpstreamTransport billing,
        [FromKeyedServices(PaymentwallOptions.Section)] UpstreamTransport paymentwall,
        AccessTokenProvider tokens,
        RedisConnection redis,
        IMemoryCache memory,
        CatalogDataCache sources,
        UpstreamBulkhead slots,
        PriceDrift drift)
    {
        _upstreams = [("billing", billing), ("paymentwall", paymentwall)];
        (_tokens, _redis, _memory, _sources, _slots, _drift) = (tokens, redis, (MemoryCache)memory, sources, slots, drift);
    }

    public IEnumerable<(string Name, DependencyReport Report, CircuitState? Circuit)> Dependencies =>
    [
        .. _upstreams.Select(upstream => (upstream.Name, upstream.Transport.Health.Report(), (CircuitState?)upstream.Transport.Circuit)),
        ("authorization", _tokens.Health.Report(), null),
    ];

    public long CacheBytes => _memory.GetCurrentStatistics()?.CurrentEstimatedSize ?? 0;

    public int CacheEntries => _memory.Count;

    public int Loading => _sources.InFlight;

    /// <summary>Makes the gauges; once.</summary>
    public void Register()
    {
        var meter = _meter;
        meter.CreateObservableGauge(
            "gateway.upstream.circuit.state", () => _upstreams.Select(upstream => new Measurement<int>(Number(upstream.Transport.Circuit), Metrics.Tag("upstream", upstream.Name))),
            description: "Circuit breaker: 0 closed, 1 half open, 2 open.");
        meter.CreateObservableGauge(
            "gateway.upstream.failing", () => Dependencies.Select(one => new Measurement<int>(one.Report.IsFailing ? 1 : 0, Metrics.Tag("upstream", one.Name))),
            description: "1 while several calls in a row have failed.");
        meter.CreateObservableGauge("gateway.redis.up", () => _redis.State == RedisState.Up ? 1 : 0, description: "1 while Redis is in use.");
        meter.CreateObservableGauge(
            "gateway.token.age", () => _tokens.TokenAge is { } age ? [new Measurement<double>(age.Age.TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s", "Age of the access token in use.");
        meter.CreateObservableGauge(
            "gateway.token.remaining", () => _tokens.TokenAge?.Left.TotalSeconds ?? 0,
            "s", "What is left of the life of the access token in use; 0 without one.");
        meter.CreateObservableGauge("gateway.cache.size", () => CacheBytes, "By", "Memory that everything cached takes, as Catalog:MemoryLimit counts it.");
        meter.CreateObservableGauge("gateway.cache.entries", () => CacheEntries, "{entry}", "What is cached in memory: components, prices, finished answers.");
        meter.CreateObservableGauge("gateway.cache.loading", () => Loading, "{load}", "Look-ups and refreshes under way.");
        meter.CreateObservableCounter("gateway.cache.changes", () => _sources.Version, "{change}", "Values that came, and refreshes that failed.");
        meter.CreateObservableGauge("gateway.requests.waiting", () => _slots.InUse, "{request}", "Requests that wait for an upstream.");
        meter.CreateObservableGauge("gateway.price_drift.items", () => _drift.Count, "{item}", "Items whose prices in Billing and Paymentwall differ.");
    }

    public void Dispose() => _meter.Dispose();

    private static int Number(CircuitState state) => state switch
    {
        CircuitState.Closed => 0,
        CircuitState.HalfOpen => 1,
        _ => 2,
    };
}
