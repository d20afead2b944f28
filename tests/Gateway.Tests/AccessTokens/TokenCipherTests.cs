using System.Security.Cryptography;
using System.Text;
using Gateway.AccessTokens;

namespace Gateway.Tests.AccessTokens;

public sealed class TokenCipherTests
{
    private const string RedisKey = "gateway:token:0123";

    private static readonly byte[] Plaintext = Encoding.UTF8.GetBytes("eyJhbGciOiJSUzI1NiJ9.payload.signature");

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(38)]
    [InlineData(10_000)]
    public void What_was_sealed_can_be_opened(int length)
    {
        var plaintext = RandomNumberGenerator.GetBytes(length);

        Assert.Equal(plaintext, Cipher().Open(Cipher().Seal(plaintext, RedisKey), RedisKey));
    }

    [Fact]
    public void Nothing_of_the_plaintext_shows_and_no_two_seals_are_alike()
    {
        var first = Cipher().Seal(Plaintext, RedisKey);
        var second = Cipher().Seal(Plaintext, RedisKey);

        Assert.Equal(-1, first.AsSpan().IndexOf(Plaintext.AsSpan(0, 8)));
        Assert.NotEqual(first, second);
        Assert.False(first.AsSpan(1, 12).SequenceEqual(second.AsSpan(1, 12)), "The nonce was used twice.");
    }

    [Fact]
    public void Another_secret_cannot_open_it() => Assert.Null(Cipher("other secret").Open(Cipher().Seal(Plaintext, RedisKey), RedisKey));

    [Fact]
    public void Another_encryption_key_cannot_open_it()
    {
        var sealing = Cipher(encryptionKey: RandomKey());

        Assert.Null(Cipher(encryptionKey: RandomKey()).Open(sealing.Seal(Plaintext, RedisKey), RedisKey));
        Assert.Null(Cipher().Open(sealing.Seal(Plaintext, RedisKey), RedisKey));
    }

    [Theory]
    [InlineData("gateway:token:0124")]
    [InlineData("gateway:token:012")]
    [InlineData("")]
    public void A_value_cannot_be_moved_to_another_Redis_key(string otherKey) =>
        Assert.Null(Cipher().Open(Cipher().Seal(Plaintext, RedisKey), otherKey));

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(255)]
    public void Another_version_is_not_opened(byte version)
    {
        var wire = Cipher().Seal(Plaintext, RedisKey);
        wire[0] = version;

        Assert.Null(Cipher().Open(wire, RedisKey));
    }

    [Fact]
    public void No_byte_can_be_changed()
    {
        var cipher = Cipher();
        var wire = cipher.Seal(Plaintext, RedisKey);

        for (var at = 0; at < wire.Length; at++)
        {
            wire[at] ^= 1;
            Assert.Null(cipher.Open(wire, RedisKey));
            wire[at] ^= 1;
        }

        Assert.Equal(Plaintext, cipher.Open(wire, RedisKey));
    }

    [Fact]
    public void No_byte_can_be_cut_off_or_added()
    {
        var cipher = Cipher();
        var wire = cipher.Seal(Plaintext, RedisKey);

        for (var length = 0; length < wire.Length; length++)
        {
            Assert.Null(cipher.Open(wire.AsSpan(0, length), RedisKey));
        }

        Assert.Null(cipher.Open([.. wire, 0], RedisKey));
    }

    [Fact]
    public void The_derived_key_is_the_same_on_every_replica_and_forever()
    {
        Assert.Equal(Cipher("secret").KeyId, Cipher("secret").KeyId);

        // HKDF-SHA256 of "secret", made outside of this code.
        Assert.Equal(ExpectedKeyId, Cipher("secret").KeyId);
    }

    [Fact]
    public void A_key_id_tells_keys_apart_and_nothing_more()
    {
        var key = RandomKey();
        var ids = new[] { Cipher("a").KeyId, Cipher("b").KeyId, Cipher("a", key).KeyId, Cipher("a", RandomKey()).KeyId };

        Assert.Equal(ids.Length, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Cipher("a", key).KeyId, Cipher("b", key).KeyId);
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{16}$", id));
        Assert.DoesNotContain(ids[2], Convert.ToHexStringLower(Convert.FromBase64String(key)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(16)]
    [InlineData(0)]
    public void Only_32_bytes_are_a_key(int bytes) => Assert.False(TokenCipher.TryDecodeKey(Convert.ToBase64String(new byte[bytes]), out _));

    [Theory]
    [InlineData("not base64 not base64 not base64 not base64!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ")]
    public void Only_base64_is_a_key(string text) => Assert.False(TokenCipher.TryDecodeKey(text, out _));

    private const string ExpectedKeyId = "c98dd5efb2b0966f";

    private static TokenCipher Cipher(string clientSecret = "client secret", string encryptionKey = "") =>
        new(new AccessTokensOptions { ClientSecret = clientSecret, EncryptionKey = encryptionKey });

    private static string RandomKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
