using System.Globalization;

namespace Gateway.Configuration;

/// <summary>
/// The address of health and administration beside those that callers use (<c>Hosting:ManagementPort</c>), said in Kestrel's own words:
/// so it is there whichever way the others were configured.
/// </summary>
internal static class ManagementEndpoint
{
    private const string Key = "Hosting:ManagementPort";

    public static bool IsHealth(PathString path) => path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase);

    public static bool IsAdministration(PathString path) => path.StartsWithSegments("/admin", StringComparison.OrdinalIgnoreCase);

    public static bool Has(PathString path) => IsHealth(path) || IsAdministration(path);

    /// <summary>0 where there is none, and where the value is refused later on. Read as the options are: what they take for a port is one.</summary>
    public static int Port(IConfiguration configuration)
    {
        try
        {
            return configuration.GetValue(Key, 0) is >= 0 and <= ushort.MaxValue and var port ? port : 0;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }

    /// <summary>Adds it to what the server listens on: Kestrel's endpoints, else <c>urls</c>, else the ports, else port 5000.</summary>
    public static void AddTo(IConfiguration configuration)
    {
        if (Port(configuration) is not (> 0 and var port))
        {
            return;
        }

        var address = string.Create(CultureInfo.InvariantCulture, $"http://*:{port}");
        if (configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
        {
            configuration["Kestrel:Endpoints:Management:Url"] = address;

            // Probes do, whatever the others speak.
            configuration["Kestrel:Endpoints:Management:Protocols"] = "Http1";
        }
        else if (configuration["urls"] is { Length: > 0 } urls)
        {
            configuration["urls"] = $"{urls};{address}";
        }
        else if (configuration["http_ports"] is { Length: > 0 } ports)
        {
            configuration["http_ports"] = string.Create(CultureInfo.InvariantCulture, $"{ports};{port}");
        }
        else if (configuration["https_ports"] is { Length: > 0 })
        {
            configuration["http_ports"] = port.ToString(CultureInfo.InvariantCulture);
        }
        else
        {
            configuration["urls"] = $"http://localhost:5000;{address}";
        }
    }
}
