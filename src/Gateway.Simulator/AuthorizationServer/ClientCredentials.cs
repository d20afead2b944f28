using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Simulator.AuthorizationServer;

/// <summary>Client authentication by HTTP Basic as in RFC 6749 §2.3.1: both halves are form-url-encoded before base64.</summary>
internal static class ClientCredentials
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null when the header is not Basic, not base64, or not encoded correctly.</summary>
    public static (string Id, string Secret)? Read(string? authorization)
    {
        if (authorization?.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase) is not true)
        {
            return null;
        }

        try
        {
            var pair = StrictUtf8.GetString(Convert.FromBase64String(authorization["Basic ".Length..].Trim()));
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            return colon >= 0 && Decode(pair[..colon]) is { } id && Decode(pair[(colon + 1)..]) is { } secret
                ? (id, secret)
                : null;
        }
        catch (Exception exception) when (exception is FormatException or DecoderFallbackException)
        {
            return null;
        }
    }

    public static bool Same(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));

    /// <summary>Exact: plus is a space, a percent sign needs two hex digits, the bytes must be UTF-8.</summary>
    private static string? Decode(string encoded)
    {
        var source = Encoding.UTF8.GetBytes(encoded);
        var bytes = new List<byte>(source.Length);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] != '%')
            {
                bytes.Add(source[i] == '+' ? (byte)' ' : source[i]);
            }
            else if (i + 2 < source.Length && byte.TryParse(
                source.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                return null;
            }
        }

        return StrictUtf8.GetString([.. bytes]);
    }
}
