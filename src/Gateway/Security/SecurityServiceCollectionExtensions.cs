using System.Text.RegularExpressions;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

internal static partial class SecurityServiceCollectionExtensions
{
    public static IServiceCollection AddGatewaySecurity(this IServiceCollection services)
    {
        services.AddOptionsSection<SecurityOptions, SecurityOptionsValidator>(SecurityOptions.Section, follows: true);
        HostFilter.TakeOver(services);
        services.AddSingleton<SecurityHeaders>();
        services.AddSingleton<UpstreamBulkhead>();
        services.AddGatewayCors();
        services.AddClientRateLimiter();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<SecurityOptions>>((forwarded, security) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedPrefix;
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

    /// <inheritdoc cref="SecurityHeaders"/>
    public static void UseSecurityHeaders(this IApplicationBuilder app)
    {
        var headers = app.ApplicationServices.GetRequiredService<SecurityHeaders>();
        app.Use((context, next) =>
        {
            context.Response.OnStarting(headers.OnStarting, context);
            return next(context);
        });
    }

    /// <summary>Which pages may read the answer, and who asks.</summary>
    public static void UseIdentity(this WebApplication app)
    {
        // As UseCors, which would have the call of its middleware compiled at every start for the sake of a second parameter.
        app.Use(next =>
        {
            var cors = ActivatorUtilities.CreateInstance<CorsMiddleware>(app.Services, next);
            var policies = app.Services.GetRequiredService<ICorsPolicyProvider>();
            return context => cors.Invoke(context, policies);
        });

        app.UseAuthentication();
    }

    /// <summary>Whether this client may ask once more.</summary>
    public static void UseRateLimits(this WebApplication app)
    {
        if (ClientRateLimiter.IsConfigured(app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value))
        {
            app.UseRateLimiter();
        }
    }

    /// <summary>The caller's own address and scheme behind known load balancers, for everything that follows.</summary>
    public static void UseKnownProxies(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.KnownProxies.Count > 0)
        {
            app.UseForwardedHeaders();

            // Many a proxy passes on what a client said of a prefix: //evil.example would be another host in a redirect.
            app.Use((context, next) =>
            {
                context.Request.PathBase = !context.Request.PathBase.HasValue || Prefix().IsMatch(context.Request.PathBase.Value) ? context.Request.PathBase : PathString.Empty;
                return next(context);
            });
        }
    }

    [GeneratedRegex($@"\A{HostingOptions.PathBasePattern}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Prefix();
}
