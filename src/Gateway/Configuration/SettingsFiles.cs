using System.Text.Json;
using Microsoft.Extensions.Configuration.Json;

namespace Gateway.Configuration;

/// <summary>
/// The settings files, which are watched. One that cannot be read any more, as while somebody edits it, changes nothing and is one line in the
/// log; the library's forgets what it said, without a word, and the routes with it at the next change of any file.
/// </summary>
internal static partial class SettingsFiles
{
    /// <summary>In place of those that the framework has added.</summary>
    public static void KeepLastSettings(this ConfigurationManager configuration)
    {
        var sources = ((IConfigurationBuilder)configuration).Sources;
        for (var n = 0; n < sources.Count; n++)
        {
            if (sources[n] is JsonConfigurationSource { Path: { } path } file)
            {
                sources[n] = new Source
                {
                    FileProvider = file.FileProvider,
                    Path = path,
                    Optional = file.Optional,
                    ReloadOnChange = file.ReloadOnChange,
                    ReloadDelay = file.ReloadDelay,
                };
            }
        }
    }

    /// <summary>There is no log yet when the files are first read.</summary>
    public static void LogSettings(this IConfigurationRoot configuration, ILoggerFactory loggers)
    {
        foreach (var file in configuration.Providers.OfType<Provider>())
        {
            file.Logger = loggers.CreateLogger("Gateway.Configuration");
        }
    }

    private sealed class Source : JsonConfigurationSource
    {
        public override IConfigurationProvider Build(IConfigurationBuilder builder)
        {
            EnsureDefaults(builder);
            return new Provider(this);
        }
    }

    private sealed class Provider(Source source) : JsonConfigurationProvider(source)
    {
        private bool _isLoaded;

        /// <summary>Where it was broken the last time, because one change may be told of several times; 0 while it is sound.</summary>
        private long _brokenAt;

        public ILogger? Logger { get; set; }

        public override void Load(Stream stream)
        {
            try
            {
                base.Load(stream);
                (_isLoaded, _brokenAt) = (true, 0);
            }
            catch (FormatException exception) when (_isLoaded && Logger is not null)
            {
                // Not its text, which may repeat a part of the file.
                var line = ((exception.InnerException as JsonException)?.LineNumber ?? 0) + 1;
                if (line != _brokenAt)
                {
                    _brokenAt = line;
                    Log.Unreadable(Logger, Source.Path!, line);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5113, LogLevel.Error, "{File:l} cannot be read (line {Line}): what it said before stays in use")]
        public static partial void Unreadable(ILogger logger, string file, long line);
    }
}
