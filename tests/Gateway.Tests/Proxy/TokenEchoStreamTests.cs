using System.Text;
using Gateway.Proxy;

namespace Gateway.Tests.Proxy;

public sealed class TokenEchoStreamTests
{
    private const string Token = "eyJeyJhbGciOi.eyJ-token_1";

    [Fact]
    public async Task However_the_body_is_cut_no_part_of_the_token_passes()
    {
        var text = "before eyJ " + Token + " after";
        for (var size = 1; size <= text.Length; size++)
        {
            var (passed, found) = await ReadAsync(text, size);

            Assert.True(found);
            Assert.StartsWith(passed, "before eyJ ", StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ey")]
    [InlineData("eyJeyJeyJhbGciO")]
    [InlineData("eyJeyJhbGciOi.eyJ-token_")]
    public async Task What_only_begins_like_the_token_passes_whole(string end)
    {
        var text = "body " + end + " more " + end;
        for (var size = 1; size <= text.Length; size++)
        {
            Assert.Equal((text, false), await ReadAsync(text, size));
        }
    }

    [Theory]
    [InlineData(TokenEchoStream.Searched - 25, true)]
    [InlineData(TokenEchoStream.Searched * 2, false)]
    public async Task The_first_16_KiB_are_searched(int before, bool expected)
    {
        var (_, found) = await ReadAsync(new string('x', before) + Token, 1000);

        Assert.Equal(expected, found);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(TokenEchoStream.Searched * 2)]
    public async Task Trailers_are_looked_at_after_a_body_of_any_size(int size)
    {
        var (_, found) = await ReadAsync(new string('x', size), 1000, trailersHoldToken: true);

        Assert.True(found);
    }

    private static async Task<(string Passed, bool Found)> ReadAsync(string text, int size, bool trailersHoldToken = false)
    {
        await using var stream = new TokenEchoStream(new Slices(Encoding.ASCII.GetBytes(text), size), Encoding.ASCII.GetBytes(Token), () => trailersHoldToken);
        var passed = new StringBuilder();
        var buffer = new byte[700];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken)) > 0)
            {
                passed.Append(Encoding.ASCII.GetString(buffer, 0, read));
            }

            return (passed.ToString(), false);
        }
        catch (TokenEchoException)
        {
            return (passed.ToString(), true);
        }
    }

    /// <summary>Gives so many bytes at once.</summary>
    private sealed class Slices(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}
