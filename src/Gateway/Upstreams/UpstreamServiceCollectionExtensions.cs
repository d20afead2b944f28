using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Observability;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Upstreams;

internal static class UpstreamServiceCollectionExtensions
{
    public static IServiceCollection AddUpstreams(this IServiceCollection services)
    {
        services.AddOptionsSection<BillingOptions, UpstreamOptionsValidator<BillingOptions>>(BillingOptions.Section);
        services.AddOptionsSection<PaymentwallOptions, UpstreamOptionsValidator<PaymentwallOptions>>(PaymentwallOptions.Section, follows: true);
        services.AddUpstream<BillingClient, BillingOptions>(BillingOptions.Section);
        services.AddUpstream<PaymentwallClient, PaymentwallOptions>(PaymentwallOptions.Section);
        return services;
    }

    /// <summary>A client with a transport of its own, so that one upstream's breaker and retry budget are not another's.</summary>
    private static void AddUpstream<TClient, TOptions>(this IServiceCollection services, string name)
        where TClient : class
        where TOptions : UpstreamOptions
    {
        services.AddKeyedSingleton(name, (provider, _) => new UpstreamTransport(
            name,
            provider.GetRequiredService<IOptions<TOptions>>().Value,
            UpstreamTransport.CreateHandler(provider.GetRequiredService<EgressProxy>(), provider.GetRequiredService<TraceContext>().Outbound),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<UpstreamTransport>>()));
        services.AddSingleton(provider =>
            ActivatorUtilities.CreateInstance<TClient>(provider, provider.GetRequiredKeyedService<UpstreamTransport>(name)));
    }
}
