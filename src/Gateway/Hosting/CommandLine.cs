using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Observability;
using Gateway.Proxy;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Hosting;

/// <summary>What the command line may say: a few switches, and configuration keys with their values.</summary>
internal static class CommandLine
{
    public const string CheckConfig = "--check-config";
    public const string Online = "--online";

    /// <summary>Sections that are looked for here or by the libraries of this process.</summary>
    public static readonly string[] Sections =
    [
        BillingOptions.Section, AccessTokensOptions.Section, PaymentwallOptions.Section, RedisOptions.Section, CatalogOptions.Section, SecurityOptions.Section,
        HostingOptions.Section, SwaggerAccessOptions.Section, EgressOptions.Section, ProxyExtensions.Section, "Serilog", "Kestrel", "Logging",
    ];

    private const string Help = "--help";
    private const string Version = "--version";

    private static readonly string[] Switches = [CheckConfig, Online, HealthProbe.Argument, Help, Version];

    private const string Usage = $"""
        Usage: dotnet Gateway.dll [SWITCH] [--Section:Key=value]...

        Without a switch it starts, and stops by SIGTERM or Ctrl-C.

          {CheckConfig}            check the configuration and end with 0 or 1
          {CheckConfig} {Online}   and then ask the real systems once; the exit code names what failed (docs/operations.md)
          {HealthProbe.Argument}            ask the gateway that runs with the same configuration whether it is ready; 0 or 1
          {Help}, {Version}

        Every key is in docs/configuration.md. In the environment it has double underscores: Paymentwall__ProjectKey.
        """;

    /// <summary>ASP.NET Core's own keys that belong to no section.</summary>
    private static readonly string[] Keys = ["AllowedHosts", "applicationName", "contentRoot", "environment", "http_ports", "https_ports", "urls", "webroot"];

    /// <summary>True if it was asked what this is, and has been told.</summary>
    public static bool IsTold(IReadOnlyList<string> args, TextWriter output)
    {
        var told = args.Contains(Help, StringComparer.Ordinal) ? Usage : args.Contains(Version, StringComparer.Ordinal) ? OpenTelemetryExport.Version : null;
        output.Write(told is null ? string.Empty : told + Environment.NewLine);
        return told is not null;
    }

    /// <summary>The arguments that are configuration.</summary>
    public static string[] Settings(IEnumerable<string> args) => [.. args.Where(arg => !Switches.Contains(arg, StringComparer.Ordinal))];

    /// <summary>Arguments that nobody would look at. The framework skips them, and a gateway that was to be checked only would start.</summary>
    public static IEnumerable<string> Errors(IReadOnlyList<string> args)
    {
        if (args.Contains(Online, StringComparer.Ordinal) && !args.Contains(CheckConfig, StringComparer.Ordinal))
        {
            yield return $"{Online}: goes together with {CheckConfig}.";
        }

        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (Switches.Contains(arg, StringComparer.Ordinal))
            {
                continue;
            }

            // As the framework reads them: --Key=value, --Key value, /Key=value, /Key value, Key=value.
            var given = arg.Split('=')[0];
            var key = given.StartsWith("--", StringComparison.Ordinal) ? given[2..] : given.TrimStart('/');
            var isInline = given.Length < arg.Length;
            var isPair = !isInline && key.Length < given.Length && i + 1 < args.Count;
            var name = key.Split(':')[0];
            var isKnown = Sections.Concat(Keys).Contains(name, StringComparer.OrdinalIgnoreCase);
            if (isKnown && !isInline && !isPair)
            {
                yield return $"{given}: needs a value; write {given}=value.";
            }
            else if (!isKnown)
            {
                var nearest = Spelling.Nearest(given, Switches) ?? Spelling.Nearest(name, Sections.Concat(Keys));
                yield return $"{given}: there is no such argument{(nearest is null ? "; configuration is given as --Section:Key=value." : Spelling.Hint(nearest))}";
            }
            else if (isPair)
            {
                i++;
            }
        }
    }
}
