using Gateway.Configuration;

namespace Gateway.Catalog;

internal static class CatalogServiceCollectionExtensions
{
    public static IServiceCollection AddCatalog(this IServiceCollection services)
    {
        services.AddOptionsSection<CatalogOptions, CatalogOptionsValidator>(CatalogOptions.Section);
        services.AddSingleton<CatalogRules>();
        services.AddSingleton<CatalogQuestionReader>();
        services.AddSingleton<KnownRequests>();
        services.AddSingleton<CatalogSources>();
        services.AddSingleton<PriceDrift>();
        services.AddSingleton<CatalogAggregator>();
        services.AddSingleton<CatalogAnswers>();
        services.AddSingleton<CatalogHeaders>();
        return services;
    }
}
