using System.Net;
using Gateway.Configuration;

namespace Gateway.Hosting;

/// <summary>
/// <c>--check-health</c>: asks the gateway that runs with the same configuration for <c>/health/ready</c> and ends with 0 or 1. For
/// containers whose image has neither a shell nor curl. No host is built: this runs every few seconds.
/// </summary>
internal static class HealthProbe
{
    public const string Argument = "--check-health";

    private const string Path = "/health/ready";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(IEnumerable<string> args, TextWriter output)
    {
        var environment = new ConfigurationBuilder().AddEnvironmentVariables("DOTNET_").AddEnvironmentVariables("ASPNETCORE_").Build();
        var configuration = new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddConfiguration(environment)
            .AddJsonFile("appsettings.json", optional: true)
            .AddJsonFile($"appsettings.{environment["environment"] ?? Environments.Production}.json", optional: true)
            .AddEnvironmentVariables()
            .AddCommandLine([.. args.Where(arg => arg != Argument)])
            .Build();
        if (AddressOf(configuration) is not { } address)
        {
            await output.WriteLineAsync("There is no http or https address to ask; the gateway listens where ASPNETCORE_URLS or HTTP_PORTS says.");
            return 1;
        }

        try
        {
            // Never through a proxy: it is this machine.
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = Patience };
            using var response = await client.GetAsync(new Uri(address, Path));
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return 0;
            }

            await output.WriteLineAsync($"{address}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            await output.WriteLineAsync($"{address}: {exception.Message}");
        }

        return 1;
    }

    /// <summary>
    /// The management port, else where Kestrel listens, by its own rules: its endpoints, else <c>urls</c>, else the ports, else port 5000. Plain
    /// http first; not where only HTTP/2 is spoken.
    /// </summary>
    internal static Uri? AddressOf(IConfiguration configuration)
    {
        if (ManagementEndpoint.Port(configuration) is > 0 and var port)
        {
            return new UriBuilder(Uri.UriSchemeHttp, IPAddress.Loopback.ToString(), port).Uri;
        }

        IConfigurationSection[] endpoints = [.. configuration.GetSection("Kestrel:Endpoints").GetChildren()];
        var addresses = endpoints is [_, ..] ? endpoints.Where(endpoint => !IsHttp2Alone(endpoint, configuration)).Select(endpoint => endpoint["Url"]) : configuration["urls"] is { Length: > 0 } urls ? urls.Split(';') : Ports(configuration);
        return addresses.Select(Local).OfType<Uri>().OrderBy(address => address.Scheme, StringComparer.Ordinal).FirstOrDefault();
    }

    /// <summary>The ports of the configured endpoints where a request by HTTP/1.1 is refused.</summary>
    internal static IEnumerable<int> Http2Ports(IConfiguration configuration) =>
        from endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren()
        where IsHttp2Alone(endpoint, configuration)
        let address = Local(endpoint["Url"])
        where address is not null
        select address.Port;

    private static bool IsHttp2Alone(IConfigurationSection endpoint, IConfiguration configuration) =>
        "Http2".Equals(endpoint["Protocols"] ?? configuration["Kestrel:EndpointDefaults:Protocols"], StringComparison.OrdinalIgnoreCase);

    private static string[] Ports(IConfiguration configuration)
    {
        string[] ports =
        [
            .. Split(configuration["http_ports"]).Select(port => "http://localhost:" + port),
            .. Split(configuration["https_ports"]).Select(port => "https://localhost:" + port),
        ];
        return ports is [_, ..] ? ports : ["http://localhost:5000"];

        static string[] Split(string? ports) => (ports ?? string.Empty).Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>An address to listen on as one to ask: any address is this machine's. Null for what cannot be asked, such as a socket file.</summary>
    internal static Uri? Local(string? address)
    {
        if (address is null || !TryParse(address, out var parsed))
        {
            return null;
        }

        // Kestrel takes any name but localhost to mean "any address".
        var ip = IPAddress.TryParse(parsed.Host, out var given) && !given.Equals(IPAddress.Any) && !given.Equals(IPAddress.IPv6Any) ? given : IPAddress.Loopback;
        return new UriBuilder(parsed.Scheme, ip.ToString(), parsed.Port).Uri;
    }

    private static bool TryParse(string address, out BindingAddress parsed)
    {
        try
        {
            parsed = BindingAddress.Parse(address.Trim());
            return parsed is { IsUnixPipe: false, IsNamedPipe: false, Port: > 0 } && parsed.Scheme is "http" or "https";
        }
        catch (FormatException)
        {
            parsed = null!;
            return false;
        }
    }
}
