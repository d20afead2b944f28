using System.Net;

namespace Gateway.Security;

/// <summary>Whom a request counts for: the name of its API key, else its address, of IPv6 the first 64 bits, which one customer has.</summary>
internal static class ClientIdentity
{
    public static string Of(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, Name: { } name } ? $"name:{name}" : $"network:{NetworkOf(context.Connection.RemoteIpAddress)}";

    private static string NetworkOf(IPAddress? address)
    {
        // An IPv4 address as it would come over IPv6: ::ffff:a.b.c.d.
        var mapped = (address ?? IPAddress.IPv6Any).MapToIPv6();
        var bytes = mapped.GetAddressBytes();
        if (!mapped.IsIPv4MappedToIPv6)
        {
            bytes.AsSpan(8).Clear();
        }

        return Convert.ToHexStringLower(bytes);
    }
}
