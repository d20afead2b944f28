using Gateway.Configuration;

namespace Gateway.AccessTokens;

internal static class AccessTokenServiceCollectionExtensions
{
    public static IServiceCollection AddAccessTokens(this IServiceCollection services)
    {
        services.AddOptionsSection<AccessTokensOptions, AccessTokensOptionsValidator>(AccessTokensOptions.Section, follows: true);
        services.AddSingleton<ITokenEndpoint, MsalTokenEndpoint>();
        services.AddSingleton<AccessTokenStore>();
        services.AddSingleton<AccessTokenProvider>();
        return services;
    }
}
