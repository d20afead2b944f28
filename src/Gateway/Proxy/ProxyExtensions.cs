using Gateway.Observability;
using Gateway.Problems;
using Gateway.Security;
using Microsoft.AspNetCore.DataProtection;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

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

        // YARP adds data protection for affinity cookies. What that starts would make keys and write them to the home folder.
        foreach (var service in services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Assembly == typeof(IDataProtectionBuilder).Assembly).ToList())
        {
            services.Remove(service);
        }

        return services;
    }

    /// <summary><see cref="ProxyProblems"/> and YARP's time-outs, for forwarded calls.</summary>
    public static void UseProxyProblems(this IApplicationBuilder app) => app.UseWhen(
        context => context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>() is not null,
        forwarded => forwarded.UseMiddleware<ProxyProblems>().UseRequestTimeouts());

    /// <summary>Loads the routes; a configuration that is refused throws here, with every reason.</summary>
    public static void MapGatewayProxy(this IEndpointRouteBuilder routes) => routes.MapReverseProxy(pipeline =>
    {
        var guard = pipeline.ApplicationServices.GetRequiredService<ProxyGuard>();
        var slots = pipeline.ApplicationServices.GetRequiredService<UpstreamBulkhead>();
        pipeline.Use(async (context, next) =>
        {
            var proxied = context.GetReverseProxyFeature();
            if (ProxyGuard.Check(context, proxied.Route.Config) is { } refused)
            {
                await refused.ExecuteAsync(context);
                return;
            }

            guard.Prepare(context.Request, proxied.Route.Config);

            using var slot = slots.TryEnterForwarded(proxied.Cluster.Config.ClusterId, ClientIdentity.Of(context));
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
