using Gateway.Catalog;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

internal static class ReadyCatalogExtensions
{
    /// <summary>Not where a catalog needs a key: who asks is not looked at there.</summary>
    public static void UseReadyCatalog(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<CatalogAccessOptions>>().Value.RequireKeyForCatalog)
        {
            app.UseMiddleware<ReadyCatalog>();
        }
    }
}
