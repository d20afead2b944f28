using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

internal static class OptionsServiceCollectionExtensions
{
    /// <summary>Binds a section to options of which every value that can be converted is sound.</summary>
    public static IServiceCollection AddOptionsSection<TOptions>(this IServiceCollection services, string section)
        where TOptions : class, new()
    {
        var known = new OptionsSection<TOptions>(section);
        services.AddOptions<TOptions>().BindConfiguration(section);
        services.AddSingleton(known);
        services.AddSingleton<OptionsSection>(known);
        return services;
    }

    /// <summary>Binds a section to its options, validated by <typeparamref name="TValidator"/> before the host listens.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="section">Name of the section.</param>
    /// <param name="reloads">The options follow the section while the program runs (<see cref="LastSoundOptions{TOptions}"/>).</param>
    public static IServiceCollection AddOptionsSection<TOptions, TValidator>(this IServiceCollection services, string section, bool reloads = false)
        where TOptions : class, new()
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptionsSection<TOptions>(section);
        services.AddSingleton<IValidateOptions<TOptions>, TValidator>();
        if (reloads)
        {
            services.AddSingleton<IOptions<TOptions>, LastSoundOptions<TOptions>>();
        }

        return services;
    }
}
