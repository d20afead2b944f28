using Gateway.Catalog.Drift;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;

namespace Gateway.Catalog;

internal static class CatalogServiceCollectionExtensions
{
    public static IServiceCollection AddCatalog(this IServiceCollection services)
    {
        services.AddOptionsSection<CatalogOptions, CatalogOptionsValidator>(CatalogOptions.Section);
        services.AddSingleton<CatalogRules>();
        services.AddSingleton<CatalogRequestParser>();
        services.AddSingleton<RequestParseCache>();
        services.AddSingleton<CatalogDataCache>();
        services.AddSingleton<PriceDrift>();
        services.AddSingleton<CatalogAggregator>();
        services.AddSingleton<RenderedCatalogCache>();
        services.AddSingleton<CatalogHeaders>();
        services.AddSingleton<CatalogEndpoints>();
        return services;
    }
}
