using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Configuration;

/// <summary>Options as a test made them, for who reads them once and for who follows them.</summary>
internal static class Fixed
{
    public static FixedOptions<T> Options<T>(T value)
        where T : class => new(value);

    public static void AddFixedOptions<T>(this IServiceCollection services, T value)
        where T : class => services.AddSingleton<IOptions<T>>(Options(value)).AddSingleton<IOptionsMonitor<T>>(Options(value));
}

internal sealed class FixedOptions<T>(T value) : IOptions<T>, IOptionsMonitor<T>
    where T : class
{
    /// <summary>Another instance: what follows them takes it for a change.</summary>
    public T Value { get; set; } = value;

    public T CurrentValue => Value;

    public T Get(string? name) => Value;

    public IDisposable? OnChange(Action<T, string?> listener) => null;
}
