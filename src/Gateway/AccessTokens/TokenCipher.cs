using System.Security.Cryptography;
using System.Text;

namespace Gateway.AccessTokens;

/// <summary>
/// AES-256-GCM over what lies in Redis. The wire form is version, nonce (12), tag (16), ciphertext; the version and the name of the
/// Redis key are bound as associated data, so that a value cannot be moved to another key.
/// </summary>
internal sealed class TokenCipher
{
    private const byte Version = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int HeaderBytes = 1 + NonceBytes + TagBytes;

    private readonly byte[] _key;

    public TokenCipher(AccessTokensOptions options)
    {
        _key = TryDecodeKey(options.EncryptionKey, out var key)
            ? key
            : HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(options.ClientSecret), 32, info: "gateway access token v1"u8.ToArray());
        KeyId = Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 8, info: "gateway access token key id"u8.ToArray()));
    }

    /// <summary>Tells keys apart without telling anything of them.</summary>
    public string KeyId { get; }

    public static bool TryDecodeKey(string base64, out byte[] key)
    {
        key = new byte[32];
        return base64.Length == 44 && Convert.TryFromBase64String(base64, key, out var written) && written == 32;
    }

    public byte[] Seal(ReadOnlySpan<byte> plaintext, string redisKey)
    {
        var wire = new byte[HeaderBytes + plaintext.Length];
        wire[0] = Version;
        var nonce = wire.AsSpan(1, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, plaintext, wire.AsSpan(HeaderBytes), wire.AsSpan(1 + NonceBytes, TagBytes), AssociatedData(redisKey));
        return wire;
    }

    /// <summary>Null if this was not sealed with this key for this Redis key, or is of another version.</summary>
    public byte[]? Open(ReadOnlySpan<byte> wire, string redisKey)
    {
        if (wire.Length < HeaderBytes || wire[0] != Version)
        {
            return null;
        }

        var plaintext = new byte[wire.Length - HeaderBytes];
        try
        {
            using var aes = new AesGcm(_key, TagBytes);
            aes.Decrypt(wire.Slice(1, NonceBytes), wire[HeaderBytes..], wire.Slice(1 + NonceBytes, TagBytes), plaintext, AssociatedData(redisKey));
            return plaintext;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static byte[] AssociatedData(string redisKey) => [Version, .. Encoding.UTF8.GetBytes(redisKey)];
}
