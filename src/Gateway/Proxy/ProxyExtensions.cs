using Gateway.Admission;
using Gateway.Problems;
using Gateway.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Proxy;

internal static class ProxyExtensions
{
    public const string Section = "ReverseProxy";

    public static IServiceCollection AddGatewayProxy(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<ProxyGuard>();
        services.AddSingleton<AccessTokenTransform>();
        services.AddSingleton<PaymentwallSignatureTransform>();
        services.AddSingleton<IForwarderHttpClientFactory, ProxyHttpClientFactory>();
        services.AddRequestTimeouts();
        services.AddReverseProxy()
            .LoadFromConfig(configuration.GetSection(Section))
            .AddConfigFilter<ProxyConfigGuard>()
            .AddTransformFactory<CredentialTransformFactory>()
            .AddTransforms<CredentialTransforms>();

        // YARP protects affinity cookies. The keys for that would be read or made, and written to the home folder, at every start.
        services.Remove(services.Single(service => service.ImplementationType?.Name == "DataProtectionHostedService"));
        return services;
    }

    /// <summary>Loads the routes; a configuration that is refused throws here, with every reason.</summary>
    public static void MapGatewayProxy(this IEndpointRouteBuilder routes) => routes.MapReverseProxy(pipeline =>
    {
        var guard = pipeline.ApplicationServices.GetRequiredService<ProxyGuard>();
        var slots = pipeline.ApplicationServices.GetRequiredService<RequestSlots>();
        pipeline.Use(async (context, next) =>
        {
            var proxied = context.GetReverseProxyFeature();
            if (guard.Check(context, proxied.Route.Config) is { } refused)
            {
                await refused.ExecuteAsync(context);
                return;
            }

            using var slot = slots.TryEnterForwarded(proxied.Cluster.Config.ClusterId);
            if (slot is null)
            {
                Metrics.RequestsShed.Add(1, Metrics.Tag("kind", "proxy"));
                await new ProblemResult(Problem.Overloaded).ExecuteAsync(context);
                return;
            }

            await next(context);
        });
        pipeline.UseSessionAffinity();
        pipeline.UseLoadBalancing();
        pipeline.UsePassiveHealthChecks();
    });
}
