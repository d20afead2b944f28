using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Hosting;

/// <summary>
/// How large a request may be, how long it may take to arrive, and how many connections there may be. Beyond them the server itself answers
/// 414, 431, 413 or 408, or closes the connection. <c>Kestrel:Limits</c> goes over what is said here.
/// </summary>
internal static class RequestLimits
{
    private const string Section = "Kestrel:Limits";

    /// <summary>About 300 are the program's own files; and some for Redis and others that come and go.</summary>
    private const int OwnDescriptors = 350;

    public static void Apply(KestrelServerOptions kestrel, IConfiguration configuration)
    {
        kestrel.AddServerHeader = false;

        // As HttpClient reads them: header values of upstreams pass byte for byte, ASCII or not.
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        // Twenty product ids of 128 characters fit in; a route may allow a larger body (MaxRequestBodySize).
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);

        // A runtime that gets no descriptor ends: as many again are for connections to upstreams.
        kestrel.Limits.MaxConcurrentConnections = Descriptors() is { } most ? Math.Max(10, (most - OwnDescriptors) / 2) : null;
        configuration.GetSection(Section).Bind(kestrel.Limits);
    }

    /// <summary>Before the host is built, which reads them.</summary>
    /// <exception cref="InvalidOperationException">A value of the section cannot be used.</exception>
    public static void Check(IConfiguration configuration)
    {
        string? defect = null;
        try
        {
            configuration.GetSection(Section).Bind(new KestrelServerLimits());
        }
        catch (Exception exception)
        {
            // From a converter or from a setter; not its text, which repeats the value.
            defect = exception.GetBaseException().GetType().Name;
        }

        if (defect is not null)
        {
            throw new InvalidOperationException($"{Section}: a value cannot be used ({defect}); the keys are those of ASP.NET Core's KestrelServerLimits.");
        }
    }

    /// <summary>How many this process may have open, which the runtime has raised to the hard limit; null where nobody says (not on Linux).</summary>
    private static long? Descriptors()
    {
        const string Limits = "/proc/self/limits";
        var line = File.Exists(Limits) ? File.ReadLines(Limits).FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal)) : null;
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..]
            && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most >= 2 ? most : null;
    }
}
