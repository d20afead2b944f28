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
        var errors = services.GetServices<OptionsSection>()
            .SelectMany(section => section.Check(services))
            .Distinct(StringComparer.Ordinal)
            .ToList();
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
