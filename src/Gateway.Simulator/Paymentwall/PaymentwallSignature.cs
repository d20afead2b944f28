using System.Security.Cryptography;
using System.Text;

namespace Gateway.Simulator.Paymentwall;

/// <summary>
/// The vendor's signature, versions 2 (MD5) and 3 (SHA-256): <c>name=value</c> of every parameter but <c>sign</c>, decoded,
/// sorted by name, nothing between, then the secret. Written apart from the gateway's, so that neither vouches for the other.
/// </summary>
internal static class PaymentwallSignature
{
    /// <summary>Null for a version that this API does not take.</summary>
    public static string? Compute(IReadOnlyDictionary<string, string> parameters, string? version, string secret)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in parameters.Where(p => p.Key != "sign").OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            text.Append(name).Append('=').Append(value);
        }

        var bytes = Encoding.UTF8.GetBytes(text.Append(secret).ToString());
        return version switch
        {
#pragma warning disable CA5351 // The vendor's version 2 is MD5.
            "2" => Convert.ToHexStringLower(MD5.HashData(bytes)),
#pragma warning restore CA5351
            "3" => Convert.ToHexStringLower(SHA256.HashData(bytes)),
            _ => null,
        };
    }

    public static bool Same(string? given, string expected) =>
        given is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));
}
