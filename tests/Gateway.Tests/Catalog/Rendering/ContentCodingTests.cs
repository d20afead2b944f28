using Gateway.Catalog.Rendering;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class ContentCodingTests
{
    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("gzip, deflate, br, zstd", "br")]
    [InlineData("GZIP", "gzip")]
    [InlineData("gzip;q=1.0, br;q=0.9", "gzip")]
    [InlineData("gzip;q=0.8, br;q=0.8", "br")]
    [InlineData("gzip;q=0.001", "gzip")]
    [InlineData("*", "br")]
    [InlineData("*;q=0.1", "br")]
    [InlineData("br;q=0, *", "gzip")]
    [InlineData("br;q=0.1, *;q=0.9", "gzip")]
    [InlineData("gzip, *;q=0", "gzip")]
    [InlineData("identity;q=0, gzip;q=0.1", "gzip")]
    [InlineData("gzip;q=0.5, identity;q=0.5", "gzip")]
    [InlineData("br;q=0.2, identity;q=0.5", null)]
    [InlineData("identity", null)]
    [InlineData("deflate, zstd", null)]
    [InlineData("br;q=0", null)]
    [InlineData("br;q=0, gzip;q=0.0", null)]
    [InlineData("*;q=0", null)]
    [InlineData("identity;q=0", null)]
    [InlineData("", null)]
    [InlineData("br;q=2", null)]
    [InlineData("br;q=x", null)]
    [InlineData(";;;", null)]
    public void The_client_s_liking_decides_and_of_equals_the_smallest(string header, string? coding) =>
        Assert.Equal(coding, Negotiate(header).Name());

    [Fact]
    public void Without_the_header_nothing_is_encoded() => Assert.Equal(ContentCoding.Identity, Negotiate());

    [Fact]
    public void The_header_may_come_in_several_lines() => Assert.Equal(ContentCoding.Gzip, Negotiate("deflate", "br;q=0.5, gzip"));

    private static ContentCoding Negotiate(params string[] lines)
    {
        IHeaderDictionary headers = new HeaderDictionary();
        if (lines.Length > 0)
        {
            headers.AcceptEncoding = lines;
        }

        return ContentCodings.Negotiate(headers);
    }
}
