using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>Not where a catalog needs a key: who asks is not looked at there.</summary>
internal static class ReadyCatalogExtensions
{
    /// <inheritdoc cref="ReadyCatalog"/>
    public static void UseReadyCatalog(this WebApplication app)
    {
        if (!NeedsKey(app) && app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.RateLimits.Catalog is null)
        {
            app.UseMiddleware<ReadyCatalog>();
        }
    }

    /// <inheritdoc cref="AdmittedReadyCatalog"/>
    public static void UseAdmittedReadyCatalog(this WebApplication app)
    {
        if (!NeedsKey(app))
        {
            app.UseMiddleware<AdmittedReadyCatalog>();
        }
    }

    private static bool NeedsKey(WebApplication app) => app.Services.GetRequiredService<IOptions<SecurityOptions>>().Value.RequireKeyForCatalog;
}
