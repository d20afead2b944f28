using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

/// <summary>
/// One configuration section and the options bound to it. Checks it in two passes, so that an operator sees every error at once:
/// values that cannot be converted (the binder alone would stop at the first), then the options' own validator.
/// </summary>
internal abstract class OptionsSection
{
    /// <summary>All errors of the section, each naming the key and the fix; empty if it is sound.</summary>
    public abstract IReadOnlyList<string> Check(IServiceProvider services);

    /// <summary>The keys whose values cannot be converted, with what is wrong.</summary>
    protected static IEnumerable<(string Path, string Error)> ConversionErrors(IConfigurationSection section, Type type)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite))
        {
            var value = section.GetSection(property.Name);
            var wanted = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (string.IsNullOrEmpty(value.Value) || wanted == typeof(string))
            {
                continue;
            }

            if (!CanConvert(value.Value, wanted))
            {
                // The value is not repeated: it may be a secret that went into the wrong key.
                yield return (value.Path, $"{value.Path}: the value is not {Describe(wanted)}.");
            }
        }
    }

    /// <summary>A key that is set to null, where only a value or no key at all makes sense.</summary>
    protected static IEnumerable<string> NullErrors(string section, object options)
    {
        var nullability = new NullabilityInfoContext();
        return options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite && nullability.Create(p).WriteState == NullabilityState.NotNull && p.GetValue(options) is null)
            .Select(p => $"{section}:{p.Name}: is null; give it a value or leave the key out.");
    }

    private static bool CanConvert(string value, Type wanted)
    {
        if (wanted == typeof(Uri))
        {
            return Uri.TryCreate(value, UriKind.Absolute, out _);
        }

        var converter = TypeDescriptor.GetConverter(wanted);
        if (!converter.CanConvertFrom(typeof(string)))
        {
            return false;
        }

        try
        {
            converter.ConvertFromString(null, CultureInfo.InvariantCulture, value);
            return true;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Describe(Type wanted) =>
        wanted == typeof(TimeSpan) ? "a duration; write hours:minutes:seconds, such as 00:00:05"
        : wanted == typeof(bool) ? "true or false"
        : wanted == typeof(int) || wanted == typeof(long) ? "a whole number"
        : wanted == typeof(Uri) ? "an absolute address, such as https://api.example.com/"
        : wanted.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(wanted))
        : "of the expected shape (a list or an object of keys, not a single value)";
}

/// <inheritdoc/>
internal sealed class OptionsSection<TOptions>(string name) : OptionsSection
    where TOptions : class, new()
{
    public override IReadOnlyList<string> Check(IServiceProvider services)
    {
        var section = services.GetRequiredService<IConfiguration>().GetSection(name);
        var unconvertible = ConversionErrors(section, typeof(TOptions)).ToList();
        return [.. unconvertible.Select(key => key.Error), .. Validate(services, section, unconvertible.ConvertAll(key => key.Path))];
    }

    /// <summary>Validates what is left without the keys that cannot be converted, so that they do not hide other errors.</summary>
    private IEnumerable<string> Validate(IServiceProvider services, IConfigurationSection section, List<string> without)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var rest = new ConfigurationBuilder()
            .AddInMemoryCollection(section.AsEnumerable().Where(pair =>
                !without.Contains(pair.Key, StringComparer.OrdinalIgnoreCase)
                && (pair.Value is not null || !configuration.GetSection(pair.Key).GetChildren().Any())))
            .Build();
        var options = new TOptions();
        try
        {
            rest.GetSection(name).Bind(options);
        }
        catch (InvalidOperationException)
        {
            return [$"{name}: a value in this section has the wrong shape."];
        }

        var nulls = NullErrors(name, options).ToList();
        return nulls.Count > 0
            ? nulls
            : services.GetServices<IValidateOptions<TOptions>>()
                .SelectMany(validator => validator.Validate(Options.DefaultName, options).Failures ?? []);
    }
}
