using Gateway.Configuration;

namespace Gateway.Caching;

internal static class CachingServiceCollectionExtensions
{
    public static IServiceCollection AddCaching(this IServiceCollection services)
    {
        services.AddOptionsSection<RedisOptions, RedisOptionsValidator>(RedisOptions.Section);
        services.AddSingleton<RedisConnection>();
        services.AddHostedService(provider => provider.GetRequiredService<RedisConnection>());
        return services;
    }
}
