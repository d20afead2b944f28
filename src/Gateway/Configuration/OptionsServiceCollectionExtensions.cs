using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

internal static class OptionsServiceCollectionExtensions
{
    /// <summary>Binds a section to its options, validated by <typeparamref name="TValidator"/> before the host listens.</summary>
    public static IServiceCollection AddOptionsSection<TOptions, TValidator>(this IServiceCollection services, string section)
        where TOptions : class, new()
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section);
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        services.AddSingleton<OptionsSection>(new OptionsSection<TOptions>(section));
        return services;
    }
}
