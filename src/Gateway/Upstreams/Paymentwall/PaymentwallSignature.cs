using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>
/// Paymentwall's widget signature: <c>name=value</c> of every parameter but <c>sign</c>, raw (before URL encoding), sorted by name
/// in ordinal order, nothing between them, then the secret key; hashed with MD5 (version 2) or SHA-256 (version 3), lowercase hex.
/// </summary>
internal static class PaymentwallSignature
{
    /// <summary>The query of a signed call, encoded: these parameters, the project's key, the version and the signature.</summary>
    /// <param name="project">Its keys and its version: of one reading of the options, since they change together.</param>
    /// <param name="parameters">Decoded, each name once, none of those that are added here.</param>
    public static string SignQuery(PaymentwallOptions project, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        KeyValuePair<string, string>[] all =
        [
            .. parameters,
            new("key", project.ProjectKey),
            new("sign_version", project.SignatureVersion == 3 ? "3" : "2"),
        ];
        var query = string.Join('&', all.Select(parameter => $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(parameter.Value)}"));
        return $"{query}&sign={Compute(all, project.SecretKey, project.SignatureVersion)}";
    }

    /// <param name="parameters">Every parameter of the query, <c>sign_version</c> included, decoded.</param>
    /// <param name="secretKey">The project's secret key.</param>
    /// <param name="version">2 or 3.</param>
    [SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "The vendor's version 2 is MD5; 3 is the default.")]
    public static string Compute(IEnumerable<KeyValuePair<string, string>> parameters, string secretKey, int version)
    {
        var signed = parameters.Where(parameter => parameter.Key != "sign").ToArray();
        Array.Sort(signed, static (one, other) => string.CompareOrdinal(one.Key, other.Key));
        var bytes = Encoding.UTF8.GetBytes(string.Concat([.. signed.Select(parameter => $"{parameter.Key}={parameter.Value}"), secretKey]));
        return version switch
        {
            2 => Convert.ToHexStringLower(MD5.HashData(bytes)),
            3 => Convert.ToHexStringLower(SHA256.HashData(bytes)),
            _ => throw new ArgumentOutOfRangeException(nameof(version), version, "Only versions 2 and 3 sign this API."),
        };
    }
}
