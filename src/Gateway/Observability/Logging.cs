using System.Diagnostics.Metrics;
using System.Globalization;
using Serilog;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;
using Serilog.Settings.Configuration;
using Serilog.Sinks.Async;

namespace Gateway.Observability;

/// <summary>
/// Serilog as the only logger, configured by the section <c>Serilog</c>, whose levels follow the configuration while the gateway runs.
/// Unless that section names sinks, lines go to standard output through a bounded queue: readable in development, compact JSON
/// elsewhere. Logging never blocks a request: when standard output stalls and the queue is full, lines are dropped and counted.
/// </summary>
internal sealed class Logging : IAsyncLogEventSinkMonitor, IAsyncDisposable
{
    /// <summary>Log events that may wait for standard output, about 10 MB of memory.</summary>
    internal const int QueueLength = 10_000;

    private static readonly string[] Levels = Enum.GetNames<LogEventLevel>();

    private const string ReadableTemplate = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    /// <summary>How long the end of the process waits for the last lines to be written.</summary>
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(1);

    private readonly Serilog.Core.Logger _logger;
    private readonly Meter _meter = new(Metrics.Name);

    private Logging(IConfiguration configuration, bool isDevelopment)
    {
        // Levels alone need no search for assemblies that sinks could be in.
        var section = configuration.GetSection("Serilog");
        var options = section.GetChildren().All(child => child.Key == "MinimumLevel") ? new ConfigurationReaderOptions(typeof(Log).Assembly) : new ConfigurationReaderOptions();
        var logger = new LoggerConfiguration().Enrich.FromLogContext();
        try
        {
            logger.ReadFrom.Configuration(configuration, options);
        }
        catch (Exception) when (Errors(configuration).Any())
        {
            // Said with all other errors, and nothing starts.
        }

        if (!section.GetSection("WriteTo").Exists())
        {
            ITextFormatter formatter = isDevelopment
                ? new MessageTemplateTextFormatter(ReadableTemplate, CultureInfo.InvariantCulture)
                : new RenderedCompactJsonFormatter();
            logger.WriteTo.Async(queue => queue.Console(new RedactingFormatter(formatter)), QueueLength, blockWhenFull: false, monitor: this);
        }

        _logger = logger.CreateLogger();
    }

    /// <summary>Levels that Serilog does not have.</summary>
    public static IEnumerable<string> Errors(IConfiguration configuration)
    {
        var minimum = configuration.GetSection("Serilog:MinimumLevel");
        return new[] { minimum, minimum.GetSection("Default") }
            .Concat(minimum.GetSection("Override").GetChildren())
            .Concat(configuration.GetSection("Serilog:LevelSwitches").GetChildren())
            .Where(level => level.Value is { Length: > 0 } value && !value.StartsWith('$') && !Levels.Contains(value, StringComparer.OrdinalIgnoreCase))
            .Select(level => $"{level.Path}: '{level.Value}' is no level; write one of {string.Join(", ", Levels)}.");
    }

    /// <summary>Adds the logger. Dispose of the result last: it writes what is still queued, for at most a second.</summary>
    public static Logging AddTo(WebApplicationBuilder builder)
    {
        var logging = new Logging(builder.Configuration, builder.Environment.IsDevelopment());
        builder.Services.AddSerilog(logging._logger);
        return logging;
    }

    void IAsyncLogEventSinkMonitor.StartMonitoring(IAsyncLogEventSinkInspector inspector) => _meter.CreateObservableCounter(
        "gateway.log.dropped", () => inspector.DroppedMessagesCount, "{line}", "Log lines dropped because standard output did not take them.");

    void IAsyncLogEventSinkMonitor.StopMonitoring(IAsyncLogEventSinkInspector inspector) => _meter.Dispose();

    public async ValueTask DisposeAsync()
    {
        // The sink's own end waits for its queue without a bound, which a stalled reader would never let it reach.
        await Task.WhenAny(Task.Run(_logger.Dispose), Task.Delay(FlushTimeout, TimeProvider.System));
        _meter.Dispose();
    }
}
