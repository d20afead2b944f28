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
        return services;
    }

    /// <summary>Loads the routes; a configuration that is refused throws here, with every reason.</summary>
    public static void MapGatewayProxy(this IEndpointRouteBuilder routes) => routes.MapReverseProxy(pipeline =>
    {
        pipeline.Use(async (context, next) =>
        {
            var guard = context.RequestServices.GetRequiredService<ProxyGuard>();
            if (guard.Check(context, context.GetReverseProxyFeature().Route.Config) is { } refused)
            {
                await refused.ExecuteAsync(context);
                return;
            }

            using var slot = context.RequestServices.GetRequiredService<RequestSlots>().TryEnterForwarded();
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
