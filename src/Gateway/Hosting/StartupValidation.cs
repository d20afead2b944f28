using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Observability;
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
        string[] errors =
        [
            .. services.GetServices<OptionsSection>().SelectMany(section => section.Check(services)),

            // What is misspelt elsewhere is a default instead of a value; here it is an open door.
            .. UnknownKeys(services).Where(IsSecurity).Select(key => $"{key}: there is no such key."),
            .. TrustsEverybody(services.GetRequiredService<IConfiguration>()),
            .. OpenTelemetryExport.Error(services) is { } error ? [error] : Array.Empty<string>(),
        ];
        if (!Report([.. errors.Distinct(StringComparer.Ordinal)], output))
        {
            return false;
        }

        foreach (var section in services.GetServices<OptionsSection>())
        {
            section.Follow(services);
        }

        return true;
    }

    private static IEnumerable<string> UnknownKeys(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        return services.GetServices<OptionsSection>().GroupBy(section => section.Name, section => section.Type, StringComparer.Ordinal)
            .SelectMany(section => OptionsSection.UnknownKeys(configuration.GetSection(section.Key), section));
    }

    private static bool IsSecurity(string key) => key.StartsWith(SecurityOptions.Section + ":", StringComparison.OrdinalIgnoreCase);

    /// <summary>ASP.NET Core's own switch believes the forwarding headers of whoever sends them.</summary>
    private static IEnumerable<string> TrustsEverybody(IConfiguration configuration) =>
        bool.TryParse(configuration["FORWARDEDHEADERS_ENABLED"], out var enabled) && enabled
            ? ["ASPNETCORE_FORWARDEDHEADERS_ENABLED: believes X-Forwarded-For of anybody; remove it and name the load balancers in Security:KnownProxies."]
            : [];

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

        foreach (var (scheme, proxy, source) in services.GetRequiredService<EgressProxy>().Hops)
        {
            Log.Proxied(logger, scheme, proxy.Authority, source);
        }

        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            Log.NoHome(logger);
        }

        foreach (var key in UnknownKeys(services).Where(key => !IsSecurity(key)))
        {
            Log.UnknownKey(logger, key);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(5101, LogLevel.Warning, "{Section}:BaseAddress is http: credentials travel in clear")]
        public static partial void PlainHttp(ILogger logger, string section);

        [LoggerMessage(5102, LogLevel.Warning, "The configuration key {Key} is not known and has no effect")]
        public static partial void UnknownKey(ILogger logger, string key);

        [LoggerMessage(5103, LogLevel.Warning, "HOME is not set: the certificate store that https needs may be unusable; set it to a folder")]
        public static partial void NoHome(ILogger logger);

        [LoggerMessage(5104, LogLevel.Information, "What is asked by {Scheme:l} goes through the proxy {Proxy:l}, which {Source:l} names")]
        public static partial void Proxied(ILogger logger, string scheme, string proxy, string source);
    }
}
