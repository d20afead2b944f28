using System.Collections;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration;

/// <summary>
/// One configuration section and the options bound to it. Checks it in two passes, so that an operator sees every error at once:
/// values that cannot be converted (the binder alone would stop at the first), then what the options' attributes and validators say. The
/// validators that the framework's generator makes of the attributes name a property and no key.
/// </summary>
internal abstract class OptionsSection
{
    /// <summary>Its name in the configuration.</summary>
    public abstract string Name { get; }

    /// <summary>The options that it is bound to.</summary>
    public abstract Type Type { get; }

    /// <summary>The keys of its secrets.</summary>
    public IEnumerable<string> SecretPaths => Type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.IsDefined(typeof(SecretAttribute))).Select(property => $"{Name}:{property.Name}");

    /// <summary>All errors of the section, each naming the key and the fix; empty if it is sound.</summary>
    public abstract IReadOnlyList<string> Check(IServiceProvider services);

    /// <summary>From now on, where that is wanted: what is valid now is what a change that is not valid leaves in use.</summary>
    public abstract void Follow(IServiceProvider services);

    /// <summary>Keys that none of the options bound to the section know: most likely misspelt ones. With the known one that is spelt most alike.</summary>
    public static IEnumerable<(string Key, string? Nearest)> UnknownKeys(IConfigurationSection section, IEnumerable<Type> types)
    {
        var properties = types.SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)).Where(p => p.CanWrite).ToLookup(p => p.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var child in section.GetChildren())
        {
            var type = properties[child.Key].FirstOrDefault()?.PropertyType;
            if (type is null)
            {
                yield return (child.Path, Spelling.Nearest(child.Key, properties.Select(known => known.Key)) is { } nearest ? $"{section.Path}:{nearest}" : null);
            }
            else if (type.Namespace?.StartsWith(nameof(Gateway), StringComparison.Ordinal) == true && ElementOf(type) is null)
            {
                foreach (var path in UnknownKeys(child, [type]))
                {
                    yield return path;
                }
            }
            else if (ElementOf(type) is { } element && element.Namespace?.StartsWith(nameof(Gateway), StringComparison.Ordinal) == true)
            {
                foreach (var path in child.GetChildren().SelectMany(item => UnknownKeys(item, [element])))
                {
                    yield return path;
                }
            }
        }
    }

    /// <summary>The keys whose values cannot be converted or have the wrong shape, with what is wrong.</summary>
    protected static IEnumerable<(string Path, string Error)> ConversionErrors(IConfigurationSection section, Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanWrite)
            .SelectMany(p => Errors(section.GetSection(p.Name), p.PropertyType));

    private static IEnumerable<(string Path, string Error)> Errors(IConfigurationSection key, Type type)
    {
        var wanted = Nullable.GetUnderlyingType(type) ?? type;
        var children = key.GetChildren().ToList();
        var isLeaf = TypeDescriptor.GetConverter(wanted).CanConvertFrom(typeof(string));
        if (isLeaf && key.Value is { } value)
        {
            if (wanted == typeof(Uri) && VerbatimAttribute.Defect(value) is { } defect)
            {
                return [(key.Path, $"{key.Path}: {defect}")];
            }

            // An empty text is a text, and an empty value of what may be absent is absent.
            var isAbsent = value.Length == 0 && (wanted == typeof(string) || wanted != type || !wanted.IsValueType);
            return isAbsent || CanConvert(value, wanted) ? [] : [Error(key, wanted)];
        }

        if (children.Count == 0)
        {
            return string.IsNullOrEmpty(key.Value) ? [] : [Error(key, wanted)];
        }

        if (ElementOf(wanted) is { } element)
        {
            return children.SelectMany(child => Errors(child, element));
        }

        return isLeaf || key.Value is { Length: > 0 } ? [Error(key, wanted)] : ConversionErrors(key, wanted);
    }

    /// <summary>What a list or a dictionary holds; null for what is neither.</summary>
    private static Type? ElementOf(Type type) => type.GetInterfaces()
        .Where(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(IEnumerable<>) && type != typeof(string))
        .Select(face => face.GetGenericArguments()[0])
        .Select(item => item.IsGenericType && item.GetGenericTypeDefinition() == typeof(KeyValuePair<,>) ? item.GetGenericArguments()[1] : item)
        .FirstOrDefault();

    /// <summary>The value is not repeated: it may be a secret that went into the wrong key.</summary>
    private static (string Path, string Error) Error(IConfigurationSection key, Type wanted) =>
        (key.Path, $"{key.Path}: the value is not {Describe(wanted)}.");

    /// <summary>
    /// What the attributes of the options do not permit, at any depth, of each property the first; and a key that is set to null where only a value or no key at all
    /// makes sense.
    /// </summary>
    internal static IEnumerable<(string Error, bool IsNull)> ValueErrors(string path, object options)
    {
        var nullability = new NullabilityInfoContext();
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && p.GetIndexParameters().Length == 0))
        {
            var key = $"{path}:{property.Name}";
            var value = property.GetValue(options);
            var errors =
                value is null && nullability.Create(property).WriteState == NullabilityState.NotNull ? [NullError(key)]
                : AttributeErrors(key, property, value).Concat(value switch
                {
                    null => [],
                    IList list => Enumerable.Range(0, list.Count).SelectMany(n => list[n] is { } item ? ValueErrorsIn($"{key}:{n}", item) : [NullError($"{key}:{n}")]),
                    _ => ValueErrorsIn(key, value),
                });
            foreach (var error in errors)
            {
                yield return error;
            }
        }
    }

    private static IEnumerable<(string Error, bool IsNull)> ValueErrorsIn(string path, object value) =>
        value.GetType() is { IsClass: true } type && type.Namespace?.StartsWith(nameof(Gateway), StringComparison.Ordinal) == true ? ValueErrors(path, value) : [];

    private static (string Error, bool IsNull) NullError(string key) => ($"{key}: is null; give it a value or leave the key out.", true);

    private static IEnumerable<(string Error, bool IsNull)> AttributeErrors(string key, PropertyInfo property, object? value) =>
        (from attribute in property.GetCustomAttributes<ValidationAttribute>()
         let what = attribute switch
         {
             VerbatimAttribute => VerbatimAttribute.Defect(value as string),
             { ErrorMessage: { } message } => message,
             RangeAttribute range => FormattableString.Invariant(
                 $"{value} is outside {range.Minimum} to {range.Maximum}{(range.OperandType == typeof(TimeSpan) ? " (durations are hours:minutes:seconds)" : string.Empty)}."),
             _ when property.IsDefined(typeof(SecretAttribute)) => "is required; give it by environment or secret file, never in appsettings.json.",
             _ => "is required.",
         }
         where !attribute.IsValid(value)
         select ($"{key}: {what}", false)).Take(1);

    /// <summary>Secrets in a settings file, which is shared, copied and committed more readily than anybody means to.</summary>
    protected static IEnumerable<string> MisplacedSecrets(IConfiguration configuration, IConfigurationSection section, Type type) =>
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        let secret = property.GetCustomAttribute<SecretAttribute>()
        where secret is not null
        let path = $"{section.Path}:{property.Name}"
        from file in SettingsFiles(configuration)
        where file.TryGet(path, out var value) && !string.IsNullOrEmpty(value) && value.Contains(secret.Mark, StringComparison.OrdinalIgnoreCase)
        select $"{path}: is a secret and stands in {file.Source.Path}; give it by the environment or by a file in the secrets folder.";

    private static IEnumerable<JsonConfigurationProvider> SettingsFiles(IConfiguration configuration) =>
        (configuration as IConfigurationRoot)?.Providers.OfType<JsonConfigurationProvider>()
            .Where(file => Path.GetFileName(file.Source.Path)?.StartsWith("appsettings", StringComparison.OrdinalIgnoreCase) == true) ?? [];

    private static bool CanConvert(string value, Type wanted)
    {
        if (wanted == typeof(Uri))
        {
            return Uri.TryCreate(value, UriKind.Absolute, out _);
        }

        // A bare 5 is five days to .NET, and five seconds to everybody else.
        if (wanted == typeof(TimeSpan) && !value.Contains(':', StringComparison.Ordinal) && value.Trim() != "0")
        {
            return false;
        }

        // The converter of an enumeration takes any number, and several names.
        if (wanted.IsEnum)
        {
            return Enum.GetNames(wanted).Contains(value, StringComparer.OrdinalIgnoreCase);
        }

        try
        {
            TypeDescriptor.GetConverter(wanted).ConvertFromString(null, CultureInfo.InvariantCulture, value);
            return true;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Describe(Type wanted) =>
        wanted == typeof(TimeSpan) ? "a duration; write hours:minutes:seconds, such as 00:00:05"
        : wanted == typeof(DateTimeOffset) ? "a point in time; write it as 2027-01-31T00:00:00Z"
        : wanted == typeof(bool) ? "true or false"
        : wanted == typeof(int) || wanted == typeof(long) ? "a whole number"
        : wanted == typeof(Uri) ? "an absolute address, such as https://api.example.com/"
        : wanted == typeof(string) ? "a single text"
        : wanted.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(wanted).Select(JsonNamingPolicy.CamelCase.ConvertName))
        : "of the expected shape (a list or an object of keys, not a single value)";
}

/// <inheritdoc/>
internal sealed class OptionsSection<TOptions>(string name, bool follows = false) : OptionsSection
    where TOptions : class, new()
{
    public override string Name => name;

    public override Type Type => typeof(TOptions);

    public override IReadOnlyList<string> Check(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var section = configuration.GetSection(name);
        var unconvertible = ConversionErrors(section, typeof(TOptions)).ToList();
        return
        [
            .. unconvertible.Select(key => key.Error),
            .. MisplacedSecrets(configuration, section, typeof(TOptions)),
            .. Validate(services, section, unconvertible.ConvertAll(key => key.Path)),
        ];
    }

    public override void Follow(IServiceProvider services)
    {
        if (follows)
        {
            _ = services.GetRequiredService<IOptionsMonitor<TOptions>>().CurrentValue;
        }
    }

    /// <summary>Validates what is left without the keys that cannot be converted, so that they do not hide other errors.</summary>
    private IEnumerable<string> Validate(IServiceProvider services, IConfigurationSection section, List<string> without)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var rest = new ConfigurationBuilder()
            .AddInMemoryCollection(section.AsEnumerable().Where(pair =>
                !without.Exists(path => pair.Key.Equals(path, StringComparison.OrdinalIgnoreCase) || pair.Key.StartsWith(path + ":", StringComparison.OrdinalIgnoreCase))
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

        var errors = ValueErrors(name, options).ToList();
        return errors.Select(error => error.Error).Concat(errors.Exists(error => error.IsNull)
            ? []
            : services.GetServices<IValidateOptions<TOptions>>()
                .SelectMany(validator => validator.Validate(Options.DefaultName, options).Failures ?? []))
            .Select(error => Element(name).Replace(error, element => AsGiven(rest, element)));
    }

    /// <summary>The binder closes gaps in a list (0 and 2 become 0 and 1); an error names the element as it was configured.</summary>
    private static string AsGiven(IConfiguration configuration, Match element)
    {
        var given = configuration.GetSection(element.Groups["list"].Value).GetChildren().Select(child => child.Key).ToList();
        return int.TryParse(element.Groups["index"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < given.Count
            ? $"{element.Groups["list"].Value}:{given[index]}"
            : element.Value;
    }

    private static Regex Element(string section) => new(
        $@"\b(?<list>{section}(:[A-Za-z]\w*)+):(?<index>[0-9]+)\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
}
