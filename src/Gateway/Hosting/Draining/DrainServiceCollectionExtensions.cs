using Gateway.Configuration;

namespace Gateway.Hosting.Draining;

internal static class DrainServiceCollectionExtensions
{
    public static IServiceCollection AddDrain(this IServiceCollection services)
    {
        services.AddOptionsSection<HostingOptions>(HostingOptions.Section, follows: true);
        services.AddSingleton<Drain>();
        services.AddHostedService(provider => provider.GetRequiredService<Drain>());
        return services;
    }
}
