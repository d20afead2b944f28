using Gateway.Configuration;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>Checks the whole configuration before the host listens and says every error at once.</summary>
internal static partial class StartupValidation
{
    /// <summary>True if the configuration is sound; otherwise the errors have been written to <paramref name="output"/>.</summary>
    public static bool Passes(IServiceProvider services, TextWriter output)
    {
        var errors = services.GetServices<OptionsSection>().SelectMany(section => section.Check(services)).Distinct(StringComparer.Ordinal).ToList();
        return Report(errors, output);
    }

    /// <summary>The same for the routes, which are checked by loading them.</summary>
    public static bool Passes(Action loadRoutes, TextWriter output)
    {
        try
        {
            loadRoutes();
            return true;
        }
        catch (InvalidOperationException exception)
        {
            return Report([.. Reasons(exception).Distinct(StringComparer.Ordinal)], output);
        }
    }

    /// <summary>What is at the bottom of it: YARP wraps every reason in one that only says that there is one.</summary>
    private static IEnumerable<string> Reasons(Exception exception) => exception switch
    {
        AggregateException several => several.InnerExceptions.SelectMany(Reasons),
        { InnerException: { } inner } => Reasons(inner),
        _ => [exception.Message],
    };

    private static bool Report(List<string> errors, TextWriter output)
    {
        if (errors.Count == 0)
        {
            return true;
        }

        output.WriteLine(errors.Count == 1 ? "The configuration has an error:" : $"The configuration has {errors.Count} errors:");
        foreach (var error in errors)
        {
            output.WriteLine("  " + error);
        }

        output.WriteLine("In the environment a key is written with double underscores: Paymentwall__ProjectKey.");
        return false;
    }

    /// <summary>Logs what is sound but should be known.</summary>
    public static void Warn(IServiceProvider services)
    {
        (string Section, UpstreamOptions Options)[] upstreams =
        [
            (BillingOptions.Section, services.GetRequiredService<IOptions<BillingOptions>>().Value),
            (PaymentwallOptions.Section, services.GetRequiredService<IOptions<PaymentwallOptions>>().Value),
        ];
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Gateway.Configuration");
        foreach (var (section, _) in upstreams.Where(upstream => upstream.Options.IsPlainHttpBeyondLoopback))
        {
            Log.PlainHttp(logger, section);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5101, LogLevel.Warning, "{Section}:BaseAddress is http: credentials travel in clear")]
        public static partial void PlainHttp(ILogger logger, string section);
    }
}
