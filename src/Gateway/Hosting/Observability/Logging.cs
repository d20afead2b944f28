using System.Globalization;
using Serilog;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;
using Serilog.Settings.Configuration;

namespace Gateway.Hosting.Observability;

/// <summary>
/// Serilog as the only logging provider, configured by the section <c>Serilog</c>, whose levels follow the configuration while the
/// gateway runs. Unless that names sinks, lines go to standard output: readable in development, JSON elsewhere.
/// </summary>
internal static class Logging
{
    private const string ReadableTemplate = "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static WebApplicationBuilder AddGatewayLogging(this WebApplicationBuilder builder)
    {
        // Levels alone need no search for assemblies that sinks could be in.
        var section = builder.Configuration.GetSection("Serilog");
        var options = section.GetChildren().All(child => child.Key == "MinimumLevel") ? new ConfigurationReaderOptions(typeof(Log).Assembly) : new ConfigurationReaderOptions();
        var configuration = new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration, options).Enrich.FromLogContext();
        if (!section.GetSection("WriteTo").Exists())
        {
            ITextFormatter format = builder.Environment.IsDevelopment()
                ? new MessageTemplateTextFormatter(ReadableTemplate, CultureInfo.InvariantCulture)
                : new JsonFormatter(renderMessage: true, formatProvider: CultureInfo.InvariantCulture);
            configuration.WriteTo.Sink(new RepeatSummary(new StandardOutput(new RedactingFormatter(format), Console.OpenStandardOutput()), TimeProvider.System));
        }

        builder.Logging.ClearProviders();

        builder.Logging.AddSerilog(configuration.CreateLogger(), dispose: true);

        // RequestLog writes the line; see also RequestTrace. For this provider, because what is said of one goes before what is said of all.
        builder.Logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        return builder;
    }
}
