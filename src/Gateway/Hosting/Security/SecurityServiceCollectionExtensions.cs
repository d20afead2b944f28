using Gateway.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Security;

internal static class SecurityServiceCollectionExtensions
{
    public static IServiceCollection AddGatewaySecurity(this IServiceCollection services)
    {
        services.AddOptionsSection<SecurityOptions, SecurityOptionsValidator>(SecurityOptions.Section, reloads: true);
        services.AddOptionsSection<SecretFilesOptions>(SecretFilesOptions.Section);
        services.AddSingleton<AnswerHeaders>();
        services.AddGatewayCors();
        services.AddGatewayRateLimits();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<SecurityOptions>>((forwarded, security) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in security.Value.KnownProxies)
            {
                if (SecurityOptionsValidator.TryReadNetwork(proxy, out var network))
                {
                    forwarded.KnownIPNetworks.Add(network);
                }
            }
        });
        services.AddAuthentication(ApiKeyHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, configureOptions: null);
        var authorization = services.AddAuthorizationBuilder();

        // Deny by default: a route that says nothing about who may call it is for nobody. Where there is no route, or none for this
        // method, there is nothing to permit: that stays a 404 or 405.
        authorization.SetFallbackPolicy(new AuthorizationPolicyBuilder()
            .RequireAssertion(context => context.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint)
            .Build());
        foreach (var role in Roles.All)
        {
            authorization.AddPolicy(role, policy => policy.RequireRole(role));
        }

        authorization.AddPolicy(Roles.AnyKey, policy => policy.RequireAuthenticatedUser());
        return services;
    }

    /// <inheritdoc cref="AnswerHeaders"/>
    public static void UseAnswerHeaders(this WebApplication app)
    {
        var headers = app.Services.GetRequiredService<AnswerHeaders>();
        app.Use((context, next) =>
        {
            context.Response.OnStarting(headers.OnStarting, context);
            return next(context);
        });
    }

    /// <summary>Which pages may read the answer, who asks, and whether this client may ask once more.</summary>
    public static void UseAdmissionControl(this WebApplication app)
    {
        // As UseCors, which would have the call of its middleware compiled at every start for the sake of a second parameter.
        app.Use(next =>
        {
            var cors = ActivatorUtilities.CreateInstance<CorsMiddleware>(app.Services, next);
            var policies = app.Services.GetRequiredService<ICorsPolicyProvider>();
            return context => cors.Invoke(context, policies);
        });

        // Who shows no key is nobody: there is nothing to look up. The host puts authentication in front of everything unless it finds
        // that this is so (the name that AuthenticationAppBuilderExtensions.UseAuthentication uses).
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
        app.UseWhen(ShowsKey, static keyed => keyed.UseAuthentication());
        if (RateLimits.AreConfigured(app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value))
        {
            // The framework's limiter is for those who have to wait for a moment or are beyond it.
            var limits = app.Services.GetRequiredService<ClientLimits>();
            app.UseWhen(context => !IsExempt(context) && !limits.Admits(context), static others => others.UseRateLimiter());
        }
    }

    /// <summary>Who may call what, once the route is known.</summary>
    public static void UseAccessControl(this WebApplication app)
    {
        app.UseMiddleware<AuditLog>();
        app.UseAuthorization();
    }

    /// <summary>For Swagger it does not matter who asks, and what is kept of it is for everybody.</summary>
    private static bool ShowsKey(HttpContext context) =>
        context.Request.Headers.ContainsKey(ApiKeyHandler.HeaderName) && !context.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase);

    /// <summary>A route with <c>"RateLimiterPolicy": "Disable"</c>.</summary>
    private static bool IsExempt(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null;

    /// <summary>The caller's own address and scheme behind known load balancers, for everything that follows.</summary>
    public static void UseKnownProxies(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.KnownProxies.Count > 0)
        {
            app.UseForwardedHeaders();
        }
    }
}
