using Gateway.AccessTokens;

namespace Gateway.Tests.Fuzzing;

public sealed class TokenCipherFuzzTests
{
    private const string Place = "gateway:token:here";

    private readonly TokenCipher _cipher = new(new AccessTokensOptions { ClientId = "id", ClientSecret = "a secret" });
    private readonly TokenCipher _other = new(new AccessTokensOptions { ClientId = "id", ClientSecret = "another secret" });

    /// <summary>A case is changes to make: a number of a sealed value, then bytes to put over, cut off or add.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_sealed_value_opens_as_it_was_or_not_at_all()
    {
        var plain = Enumerable.Range(0, 8).Select(n => Enumerable.Range(0, n * n * 7).Select(i => (byte)(i * 31)).ToArray()).ToArray();
        var sealedValues = Array.ConvertAll(plain, value => _cipher.Seal(value, Place));
        return FuzzRun.OfBytesAsync("cipher", ["\u0001", "\0\0", "\u00FF"], body =>
        {
            var number = body.Length == 0 ? 0 : body[0] % plain.Length;
            var wire = Changed(sealedValues[number], body.AsSpan(Math.Min(1, body.Length)));

            var opened = _cipher.Open(wire, Place);

            // Nonces are random: that a change makes another value's wire form, or a forgery, does not happen.
            if (wire.AsSpan().SequenceEqual(sealedValues[number]))
            {
                Assert.Equal(plain[number], opened);
            }
            else
            {
                Assert.Null(opened);
            }

            Assert.Null(_other.Open(wire, Place));
            Assert.Null(_cipher.Open(wire, Place + FuzzText.Of(body)[..Math.Min(1, body.Length)] + "x"));
            Assert.Null(_cipher.Open(body, Place));

            // What changed something leads further.
            return opened is null;
        });
    }

    /// <summary>Each three bytes are a place and what is done there; the rest is appended.</summary>
    internal static byte[] Changed(byte[] wire, ReadOnlySpan<byte> changes)
    {
        var changed = new List<byte>(wire);
        for (; changes.Length >= 3; changes = changes[3..])
        {
            var at = ((changes[0] << 8) | changes[1]) % (changed.Count + 1);
            switch (changes[2])
            {
                case 0:
                    changed.RemoveRange(at, changed.Count - at);
                    break;
                case 1:
                    changed.InsertRange(at, changed.Take(8).ToArray());
                    break;
                case < 128 when at < changed.Count:
                    changed[at] ^= changes[2];
                    break;
                default:
                    changed.Insert(at, changes[2]);
                    break;
            }
        }

        changed.AddRange(changes.ToArray());
        return [.. changed];
    }
}
