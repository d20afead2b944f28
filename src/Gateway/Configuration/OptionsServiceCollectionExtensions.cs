using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

internal static class OptionsServiceCollectionExtensions
{
    /// <summary>
    /// Binds a section to its options, checked by their attributes before the host listens. <c>IOptions</c> is what was read at the start
    /// and never changes.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="follows"><c>IOptionsMonitor</c> follows the section while the program runs (<see cref="LastValidOptions{TOptions}"/>).</param>
    public static IServiceCollection AddOptionsSection<TOptions>(this IServiceCollection services, string section, bool follows = false)
        where TOptions : class, new()
    {
        var known = new OptionsSection<TOptions>(section, follows);
        services.AddOptions<TOptions>().BindConfiguration(section);
        if (follows)
        {
            services.AddSingleton<IOptionsMonitor<TOptions>, LastValidOptions<TOptions>>();
        }

        services.AddSingleton(known);
        services.AddSingleton<OptionsSection>(known);
        return services;
    }

    /// <summary>The same, checked by <typeparamref name="TValidator"/> as well: what no attribute can say.</summary>
    public static IServiceCollection AddOptionsSection<TOptions, TValidator>(this IServiceCollection services, string section, bool follows = false)
        where TOptions : class, new()
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptionsSection<TOptions>(section, follows);
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        return services;
    }
}
