using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration;

/// <summary>
/// The monitor of options that follow their section while the program runs, so that keys and secrets can be changed without a restart:
/// the value is always the last valid one, and a change that is not valid is refused with a log line, where the framework's own monitor
/// throws at whoever reads it next. Who builds something from it compares the instance to know that it is another.
/// </summary>
internal sealed partial class LastValidOptions<TOptions> : IOptionsMonitor<TOptions>, IDisposable
    where TOptions : class, new()
{
    private readonly IServiceProvider _services;
    private readonly OptionsSection<TOptions> _section;
    private readonly ILogger<LastValidOptions<TOptions>> _logger;
    private readonly Lock _gate = new();
    private readonly IDisposable _registration;
    private volatile TOptions? _value;
    private string _fingerprint;

    public LastValidOptions(IServiceProvider services, OptionsSection<TOptions> section, ILogger<LastValidOptions<TOptions>> logger)
    {
        _services = services;
        _section = section;
        _logger = logger;
        var configuration = services.GetRequiredService<IConfiguration>();
        _fingerprint = Fingerprint(configuration);
        _registration = ChangeToken.OnChange(configuration.GetReloadToken, () => Reload(configuration));
    }

    /// <summary>The first one is made when it is first asked for: the start-up check looks at it before it is known to be valid.</summary>
    public TOptions CurrentValue => _value ?? First();

    public TOptions Get(string? name) => CurrentValue;

    /// <summary>Nobody waits for a change; each reads the value when it is needed.</summary>
    public IDisposable? OnChange(Action<TOptions, string?> listener) => null;

    public void Dispose() => _registration.Dispose();

    private TOptions First()
    {
        lock (_gate)
        {
            return _value ??= Create();
        }
    }

    private void Reload(IConfiguration configuration)
    {
        lock (_gate)
        {
            var fingerprint = Fingerprint(configuration);
            if (fingerprint == _fingerprint)
            {
                return;
            }

            _fingerprint = fingerprint;
            try
            {
                if (_section.Check(_services) is { Count: > 0 } errors)
                {
                    Log.Refused(_logger, _section.Name, string.Join(' ', errors));
                    return;
                }

                _value = Create();
                Log.Reloaded(_logger, _section.Name);
            }
            catch (Exception exception)
            {
                // On the thread of whoever watches the files. Not its text, which may repeat the value.
                Log.Refused(_logger, _section.Name, exception.GetType().Name);
            }
        }
    }

    private TOptions Create() => _services.GetRequiredService<IOptionsFactory<TOptions>>().Create(Options.DefaultName);

    /// <summary>A reload says that something in the whole configuration changed, not what.</summary>
    private string Fingerprint(IConfiguration configuration) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', configuration.GetSection(_section.Name).AsEnumerable().OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}")))));

    private static partial class Log
    {
        [LoggerMessage(5111, LogLevel.Information, "The configuration section {Section} was reloaded")]
        public static partial void Reloaded(ILogger logger, string section);

        [LoggerMessage(5112, LogLevel.Error, "The changed configuration section {Section} is refused, the one before stays in use: {Errors}")]
        public static partial void Refused(ILogger logger, string section, string errors);
    }
}
