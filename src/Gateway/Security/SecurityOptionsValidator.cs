using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

internal sealed class SecurityOptionsValidator : IValidateOptions<SecurityOptions>
{
    private static readonly string EmptyKey = Convert.ToHexString(SHA256.HashData([]));

    public ValidateOptionsResult Validate(string? name, SecurityOptions options)
    {
        string[] errors =
        [
            .. options.ApiKeys.SelectMany(KeyErrors),
            .. options.ApiKeys.SelectMany(SharedHashErrors(options.ApiKeys)),
            .. options.Cors.Origins.Select(origin => (origin, Error: AllowedOrigin.Error(origin))).Where(checkedOrigin => checkedOrigin.Error is not null)
                .Select(checkedOrigin => $"Security:Cors:Origins: '{checkedOrigin.origin}' {checkedOrigin.Error}"),
            .. options.KnownProxies.Where(proxy => !TryReadNetwork(proxy, out _))
                .Select(proxy => $"Security:KnownProxies: '{proxy}' is neither an address (10.0.0.7) nor a network (10.0.0.0/8)."),
            .. options.KnownProxies.Where(proxy => TryReadNetwork(proxy, out var network) && network.PrefixLength == 0)
                .Select(proxy => $"Security:KnownProxies: '{proxy}' believes everybody; name the load balancers' own addresses or networks."),
        ];
        return errors.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    /// <summary>An address is a network of one.</summary>
    public static bool TryReadNetwork(string text, out IPNetwork network)
    {
        if (TryReadAddress(text, out var address))
        {
            network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
            return true;
        }

        network = default;
        return text.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash && TryReadAddress(text[..slash], out _) && IPNetwork.TryParse(text, out network);
    }

    /// <summary>As everybody writes it: .NET also takes <c>10.0.0</c> for 10.0.0.0, which is not the network that was meant.</summary>
    private static bool TryReadAddress(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        if (!IPAddress.TryParse(text, out address) || text.AsSpan().ContainsAny("[%") || (!text.Contains(':', StringComparison.Ordinal) && address.ToString() != text))
        {
            return false;
        }

        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return true;
    }

    private static IEnumerable<string> KeyErrors(ApiKeyOptions key, int index)
    {
        var path = Path(index);
        if (key.Sha256 is not { Length: 64 } hash || !hash.All(char.IsAsciiHexDigit))
        {
            yield return $"{path}:Sha256: must be the SHA-256 of the key in 64 hexadecimal digits (./dev key makes both), not the key itself.";
        }

        if (EmptyKey.Equals(key.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            yield return $"{path}:Sha256: is the SHA-256 of nothing; was the key unset when it was made?";
        }

        if (key.Roles.Count == 0 || key.Roles.Exists(role => !Roles.All.Contains(role)))
        {
            yield return $"{path}:Roles: must name at least one of {string.Join(", ", Roles.All)}, and nothing else.";
        }
    }

    private static Func<ApiKeyOptions, int, IEnumerable<string>> SharedHashErrors(List<ApiKeyOptions> keys) => (key, index) =>
        key.Sha256.Length == 64 && keys.FindIndex(other => other.Sha256.Equals(key.Sha256, StringComparison.OrdinalIgnoreCase)) is var first && first < index
            ? [$"{Path(index)}:Sha256: is the same key as Security:ApiKeys:{first.ToString(CultureInfo.InvariantCulture)}; whose it is would be chance."]
            : [];

    private static string Path(int index) => string.Create(CultureInfo.InvariantCulture, $"Security:ApiKeys:{index}");
}
