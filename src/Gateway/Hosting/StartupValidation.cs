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
    /// <summary>The command line, before anything reads it.</summary>
    public static bool Passes(IReadOnlyList<string> args, TextWriter output) => Report([.. CommandLine.Errors(args)], output);

    /// <summary>True if the configuration is sound; otherwise the errors have been written to <paramref name="output"/>.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="output">Where errors go.</param>
    public static bool Passes(IServiceProvider services, TextWriter output)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        string[] errors =
        [
            .. services.GetServices<OptionsSection>().SelectMany(section => section.Check(services)),
            .. UnknownKeys(services),
            .. TrustsEverybody(configuration),
            .. Logging.Errors(configuration),
            .. ListenErrors(configuration),
            .. CertificateErrors(),
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

    /// <summary>Keys of our sections that there are none of, and sections that are spelt nearly as one of ours; any other may be somebody else's.</summary>
    private static IEnumerable<string> UnknownKeys(IServiceProvider services)
    {
        var configuration = services.GetRequiredService<IConfiguration>();
        var keys = services.GetServices<OptionsSection>().GroupBy(section => section.Name, section => section.Type, StringComparer.Ordinal)
            .SelectMany(section => OptionsSection.UnknownKeys(configuration.GetSection(section.Key), section), (section, unknown) =>
                Text(unknown.Key, "key", unknown.Nearest));

        // A name of the environment with single underscores has no keys below it.
        var sections =
            from section in configuration.GetChildren()
            where !CommandLine.Sections.Contains(section.Key, StringComparer.OrdinalIgnoreCase) && section.GetChildren().Any()
            let nearest = Spelling.Nearest(section.Key, CommandLine.Sections)
            where nearest is not null
            select Text(section.Key, "section", nearest);
        return keys.Concat(sections);

        static string Text(string key, string kind, string? nearest) => $"{key}: there is no such {kind}{(nearest is null ? "." : Spelling.Hint(nearest))}";
    }

    /// <summary>Kestrel would say so by an exception once everything else is up, or listen elsewhere.</summary>
    private static IEnumerable<string> ListenErrors(IConfiguration configuration) =>
        (configuration["urls"] ?? string.Empty).Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(url => ("ASPNETCORE_URLS", url))
            .Concat(configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => (endpoint.Path + ":Url", endpoint["Url"] ?? string.Empty)))
            .Where(address => !IsAddress(address.Item2))
            .Select(address => $"{address.Item1}: '{address.Item2}' is no address to listen on; write it as http://localhost:8080 or http://0.0.0.0:8080.");

    private static bool IsAddress(string text)
    {
        try
        {
            var address = BindingAddress.Parse(text);
            return address.IsUnixPipe || address.IsNamedPipe
                || (address.Scheme is "http" or "https" && address.Port is >= 0 and <= ushort.MaxValue && (address.Host.StartsWith('[') || !address.Host.Contains(':', StringComparison.Ordinal)));
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>OpenSSL takes what is not there for an empty list of authorities, and every https call would fail.</summary>
    private static IEnumerable<string> CertificateErrors()
    {
        if (Environment.GetEnvironmentVariable("SSL_CERT_FILE") is { Length: > 0 } file && !File.Exists(file))
        {
            yield return $"SSL_CERT_FILE: there is no file {file}; name the PEM file of the authorities to trust, or unset it.";
        }

        if (Environment.GetEnvironmentVariable("SSL_CERT_DIR") is { Length: > 0 } folders && !folders.Split(Path.PathSeparator).Any(Directory.Exists))
        {
            yield return $"SSL_CERT_DIR: there is no folder {folders}; name the folder of the authorities to trust, or unset it.";
        }
    }

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
    }

    private static partial class Log
    {
        [LoggerMessage(5101, LogLevel.Warning, "{Section}:BaseAddress is http: credentials travel in clear")]
        public static partial void PlainHttp(ILogger logger, string section);

        [LoggerMessage(5103, LogLevel.Warning, "HOME is not set: the certificate store that https needs may be unusable; set it to a folder")]
        public static partial void NoHome(ILogger logger);

        [LoggerMessage(5104, LogLevel.Information, "What is asked by {Scheme:l} goes through the proxy {Proxy:l}, which {Source:l} names")]
        public static partial void Proxied(ILogger logger, string scheme, string proxy, string source);
    }
}
