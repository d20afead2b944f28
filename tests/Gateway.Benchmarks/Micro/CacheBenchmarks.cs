using BenchmarkDotNet.Attributes;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Benchmarks.Micro;

/// <summary>Looking up what is in memory.</summary>
public partial class CacheBenchmarks : IDisposable
{
    private readonly MemoryCache _memory = new(new MemoryCacheOptions { SizeLimit = 64 * 1024 * 1024, TrackStatistics = true });
    private readonly RedisConnection _redis;
    private readonly PurgeLog _ledger;
    private readonly TwoLevelCache<PaymentwallProduct?> _cache;
    private readonly CacheQuery<PaymentwallProduct?>[] _queries;

    public CacheBenchmarks()
    {
        var redis = Fixed.Options(new RedisOptions());
        _redis = new RedisConnection(redis, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        _ledger = new PurgeLog(_redis, redis, TimeProvider.System, NullLogger<PurgeLog>.Instance);
        _cache = new TwoLevelCache<PaymentwallProduct?>(
            new TwoLevelCacheOptions<PaymentwallProduct?>(
                "price", Wire.Default.PaymentwallProduct!, TimeSpan.FromSeconds(5), 64),
            Fixed.Options(new CatalogOptions { FreshFor = TimeSpan.FromHours(1) }),
            redis,
            _memory,
            _redis,
            new RedisLease(_redis, redis, TimeProvider.System),
            _ledger,
            TimeProvider.System,
            NullLogger<TwoLevelCache<PaymentwallProduct?>>.Instance);
        var prices = new Sample(12).Prices;
        _queries = [.. prices.Select(price => new CacheQuery<PaymentwallProduct?>(
            "DE|" + price.Key, "sku:" + price.Key, (_, _) => Task.FromResult(price.Value)))];
    }

    [GlobalSetup]
    public async Task Setup() => await Task.WhenAll(_cache.GetMany(_queries));

    [Benchmark]
    public object GetTwelve() => _cache.GetMany(_queries);

    [Benchmark]
    public bool Peek() => _cache.TryPeek(_queries[7], out _);

    [GlobalCleanup]
    public void Dispose()
    {
        _memory.Dispose();
        _ledger.Dispose();
        _redis.Dispose();
        GC.SuppressFinalize(this);
    }

    [System.Text.Json.Serialization.JsonSerializable(typeof(PaymentwallProduct))]
    private sealed partial class Wire : System.Text.Json.Serialization.JsonSerializerContext;
}
