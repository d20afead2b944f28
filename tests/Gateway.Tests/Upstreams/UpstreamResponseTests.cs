using System.Net;
using System.Text;
using Gateway.Upstreams;

namespace Gateway.Tests.Upstreams;

public sealed class UpstreamResponseTests
{
    [Theory]
    [InlineData("\uFEFF[]", "[]")]
    [InlineData("[]", "[]")]
    [InlineData("", "")]
    [InlineData("\uFEFF", "")]
    public void A_byte_order_mark_is_not_part_of_the_JSON(string body, string json) =>
        Assert.Equal(json, Encoding.UTF8.GetString(new UpstreamResponse(HttpStatusCode.OK, Encoding.UTF8.GetBytes(body), RetryAfter: null).Json));

    [Theory]
    [InlineData(200, null)]
    [InlineData(201, "Rejected")]
    [InlineData(204, "Rejected")]
    [InlineData(302, "Rejected")]
    [InlineData(401, "Rejected")]
    [InlineData(404, "Rejected")]
    [InlineData(429, "Throttled")]
    [InlineData(500, "Rejected")]
    public void Only_200_is_an_answer(int status, string? failure) =>
        Assert.Equal(failure, new UpstreamResponse((HttpStatusCode)status, [], RetryAfter: null).Failure?.ToString());
}
