using System.Buffers;
using System.Globalization;
using System.Net;
using Gateway.Configuration;

namespace Gateway.Egress;

/// <summary>
/// One entry of <c>NO_PROXY</c>: a host and all below it (<c>example.com</c>, with or without a dot or <c>*.</c> in front), an address, a
/// network (<c>10.0.0.0/8</c>), each with or without a port; or <c>*</c>.
/// </summary>
internal sealed class ProxyExemption
{
    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_*:/[]");

    private static readonly char[] Separators = [',', ' '];

    private readonly string _host;
    private readonly IPNetwork? _network;
    private readonly int _port;
    private readonly bool _isExact;

    private ProxyExemption(string host, IPNetwork? network, int port, bool isExact = false) => (_host, _network, _port, _isExact) = (host, network, port, isExact);

    /// <summary>Of one host and port.</summary>
    public ProxyExemption(Uri address)
        : this(address.IdnHost, IPAddress.TryParse(address.IdnHost, out var ip) ? Single(ip) : null, address.Port, isExact: true)
    {
    }

    public static List<ProxyExemption> Read(string name, string list, List<string> errors)
    {
        if (VerbatimAttribute.Defect(list.Trim(' ')) is { } defect)
        {
            errors.Add($"{name}: {defect}");
            return [];
        }

        var read = new List<ProxyExemption>();
        foreach (var entry in list.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Read(entry) is { } one)
            {
                read.Add(one);
            }
            else
            {
                errors.Add($"{name}: '{entry}' is neither a host (example.com, .example.com), an address (10.0.0.7) nor a network (10.0.0.0/8).");
            }
        }

        return read;
    }

    public bool Matches(Uri destination)
    {
        if (_port != 0 && _port != destination.Port)
        {
            return false;
        }

        var host = destination.IdnHost;
        return _network is { } network ? IPAddress.TryParse(host, out var ip) && network.Contains(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip)
            : _host.Length == 0 || host.Equals(_host, StringComparison.OrdinalIgnoreCase)
            || (!_isExact && host.Length > _host.Length && host[^(_host.Length + 1)] == '.' && host.EndsWith(_host, StringComparison.OrdinalIgnoreCase));
    }

    private static ProxyExemption? Read(string entry)
    {
        if (entry.AsSpan().ContainsAnyExcept(Allowed))
        {
            return null;
        }

        if (entry.Contains('/', StringComparison.Ordinal))
        {
            return IPNetwork.TryParse(entry, out var network) ? new ProxyExemption(entry, network, port: 0) : null;
        }

        // Without brackets an IPv6 address has no port; with them .NET reads one and forgets it.
        IPAddress? address;
        if (!entry.Contains("]:", StringComparison.Ordinal) && IPAddress.TryParse(entry, out address))
        {
            return new ProxyExemption(entry, Single(address), port: 0);
        }

        var (host, port) = (entry, 0);
        if (entry.LastIndexOf(':') is >= 0 and var colon)
        {
            host = entry[..colon];
            if (!int.TryParse(entry[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > ushort.MaxValue)
            {
                return null;
            }
        }

        if (IPAddress.TryParse(host, out address))
        {
            return new ProxyExemption(host, Single(address), port);
        }

        // What is left after a wildcard in front is a name; an empty one is every host.
        var isEverything = host == "*";
        host = host.StartsWith('*') ? host[1..] : host;
        host = host.StartsWith('.') ? host[1..] : host;
        return isEverything || (host.Length > 0 && !host.AsSpan().ContainsAny("*:[]")) ? new ProxyExemption(host, network: null, port) : null;
    }

    private static IPNetwork Single(IPAddress address) => new(address, address.GetAddressBytes().Length * 8);
}
