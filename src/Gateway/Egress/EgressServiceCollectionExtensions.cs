using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Egress;

internal static class EgressServiceCollectionExtensions
{
    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.AddOptionsSection<EgressOptions, EgressOptionsValidator>(EgressOptions.Section);
        services.AddSingleton(provider => EgressProxy.Read(provider.GetRequiredService<IOptions<EgressOptions>>().Value, Environment.GetEnvironmentVariable, []));
        return services;
    }
}
