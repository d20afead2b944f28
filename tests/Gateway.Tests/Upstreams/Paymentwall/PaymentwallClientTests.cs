using System.Net;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Configuration;
using Gateway.Upstreams;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Upstreams.Paymentwall;

public sealed class PaymentwallClientTests
{
    private readonly TestClock _time = new();

    [Theory]
    [InlineData("product_100244", "US")]
    [InlineData("café & plan+1", "FR")]
    [InlineData("a/b?c=d#e%20", "JP")]
    public async Task The_query_carries_the_country_and_a_signature_over_the_raw_values(string sku, string country)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(200, "[]"));

        var result = await AskAsync(upstream, sku, country);

        Assert.True(result.TryGet(out var product, out _));
        Assert.Null(product);
        var uri = Assert.Single(upstream.Requests).RequestUri!;
        Assert.Equal("/api/rest/product/", uri.AbsolutePath);
        var query = QueryHelpers.ParseQuery(uri.Query).ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        Assert.Equal(["ag_external_id", "country_code", "key", "sign", "sign_version"], query.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((sku, country, "test-project-key", "3"), (query["ag_external_id"], query["country_code"], query["key"], query["sign_version"]));
        Assert.Equal(PaymentwallSignature.Compute(query, "test-secret-key", 3), query["sign"]);
        Assert.DoesNotContain("test-secret-key", uri.AbsoluteUri, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, """{"amount":"9.99","currency":"USD"}""", null)]
    [InlineData(200, "\uFEFF[]", null)]
    [InlineData(200, "{}", "BadPayload")]
    [InlineData(200, "", "BadPayload")]
    [InlineData(404, "[]", "Rejected")]
    [InlineData(302, "", "Rejected")]
    [InlineData(403, "", "Rejected")]
    [InlineData(429, "", "Throttled")]
    public async Task An_answer_is_a_product_or_one_of_the_failures(int status, string body, string? failure)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(status, body));

        Assert.Equal(failure, (await AskAsync(upstream)).Failure?.ToString());
        Assert.Equal(1, upstream.Attempts);
    }

    private static HttpResponseMessage Answer(int status, string body) => new((HttpStatusCode)status) { Content = new StringContent(body) };

    private async Task<UpstreamResult<PaymentwallProduct?>> AskAsync(FakeUpstream upstream, string sku = "s", string country = "US")
    {
        return await Client(upstream).GetProductAsync(new PriceRequest(sku, country), new RequestTimings(), TestContext.Current.CancellationToken);
    }

    private PaymentwallClient Client(FakeUpstream upstream)
    {
        var options = new PaymentwallOptions { ProjectKey = "test-project-key", SecretKey = "test-secret-key" };
        return new PaymentwallClient(
            new UpstreamTransport("paymentwall", options, upstream, _time, NullLogger.Instance), Fixed.Options(options), NullLogger<PaymentwallClient>.Instance);
    }
}
