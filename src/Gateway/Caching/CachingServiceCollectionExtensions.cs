using Gateway.Configuration;
using Gateway.Observability;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Gateway.Caching;

internal static class CachingServiceCollectionExtensions
{
    public static IServiceCollection AddCaching(this IServiceCollection services)
    {
        services.AddOptionsSection<RedisOptions, RedisOptionsValidator>(RedisOptions.Section, follows: true);
        services.AddSingleton<IMemoryCache>(provider => new MemoryCache(new MemoryCacheOptions
        {
            TrackStatistics = true,
            Clock = new MonotonicTimeProvider(provider.GetRequiredService<TimeProvider>()),
            SizeLimit = provider.GetRequiredService<IOptions<CatalogOptions>>().Value.MemoryLimit,

            // At the limit everything is sorted by its last use to drop a part of it: a fifth, since a twentieth is soon full again.
            CompactionPercentage = 0.2,
        }));
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisLease>();
        services.AddSingleton<PurgeLog>();
        services.AddHostedService(provider => provider.GetRequiredService<PurgeLog>());
        services.AddHostedService<RedisStart>();
        return services;
    }
}
