using Gateway.Configuration;
using Gateway.Security;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog.Rendering;

/// <summary>
/// In front of the pipeline: answers a request that was parsed before with its rendered catalog, if that is current. Everything else
/// takes the pipeline, which gives the same answer: a request with an API key, and the share that is to be logged.
/// </summary>
internal sealed class CatalogFastPath(
    RequestDelegate next, RequestParseCache requests, RenderedCatalogCache catalogs, CatalogHeaders headers, SecurityHeaders securityHeaders, CorsHeaders cors,
    IOptionsMonitor<HostingOptions> hosting)
{
    private static readonly object Sampled = new();

    /// <summary>Whether the request was drawn for the request log (<c>Hosting:WarmRequestLogSampling</c>).</summary>
    public static bool IsSampled(HttpContext context) => context.Items.ContainsKey(Sampled);

    public Task InvokeAsync(HttpContext context)
    {
        if (requests.Find(context) is not { } parsed
            || catalogs.TryGetCurrent(parsed.Request) is not { } catalog
            || context.Request.Headers.ContainsKey(ApiKeyHandler.HeaderName))
        {
            return next(context);
        }

        if (Random.Shared.NextDouble() < hosting.CurrentValue.WarmRequestLogSampling)
        {
            context.Items[Sampled] = true;
            return next(context);
        }

        // For the server's own metrics.
        context.SetEndpoint(parsed.Endpoint);
        headers.SetVary(context.Response);
        securityHeaders.SetForData(context.Response.Headers);
        cors.Set(context);
        return RenderedCatalogResult.WriteAsync(context, catalog, parsed.Request, parsed.Coding, headers, CatalogCacheStatus.Ready);
    }
}

internal static class CatalogFastPathExtensions
{
    /// <summary><see cref="CatalogFastPath"/>, but where the catalog needs a key or has a rate limit: neither is looked at there.</summary>
    public static void UseCatalogFastPath(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value is { RequireKeyForCatalog: false, RateLimits.Catalog: null })
        {
            app.UseMiddleware<CatalogFastPath>();
        }
    }
}
