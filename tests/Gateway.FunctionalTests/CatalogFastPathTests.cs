using System.Net;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A ready answer is the same whichever way it takes through the gateway.</summary>
public sealed class CatalogFastPathTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    /// <summary>Was, of one of them: an origin that a wildcard allows and no header can carry made a ready answer a 500.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("Origin: https://shop.example")]
    [InlineData("Origin: https://a.shop.example|Accept-Encoding: gzip")]
    [InlineData("Origin: https://ü.shop.example")]
    [InlineData("Origin: https://shop.example.evil")]
    [InlineData("Origin: null")]
    [InlineData("Origin: ")]
    [InlineData("If-None-Match: *")]
    [InlineData("If-None-Match: *|Origin: https://shop.example")]
    [InlineData("Accept-Encoding: br, gzip;q=0.5")]
    [InlineData("sandbox: true")]
    [InlineData("CF-IPCountry: US")]
    [InlineData("Range: bytes=0-9")]
    public async Task Both_ways_give_the_same_answer(string headers)
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Hosting:WarmRequestLogSampling", "0"), ("Catalog:CountryHeader", "CF-IPCountry"), ("Redis:ConnectionString", string.Empty),
            ("Security:Cors:Origins:0", "https://shop.example"), ("Security:Cors:Origins:1", "https://*.shop.example"));
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 }) { BaseAddress = gateway.Address };
        string[] asked = headers.Split('|', StringSplitOptions.RemoveEmptyEntries);

        // Loaded, then remembered; the next one is answered in front of everything, and a key of nobody's keeps the other from that.
        await AskAsync(client, asked);
        await AskAsync(client, asked);
        var shortWay = await AskAsync(client, asked);
        var longWay = await AskAsync(client, [.. asked, "X-Api-Key: of-nobody"]);

        Assert.Equal(longWay, shortWay);
        Assert.Contains("Server-Timing: cache;desc=\"hit\"", shortWay, StringComparison.Ordinal);
        Assert.Contains("nosniff", shortWay, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_client_s_limit_stands_between_a_ready_answer_and_its_client()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Hosting:WarmRequestLogSampling", "0"), ("Redis:ConnectionString", string.Empty),
            ("Security:RateLimits:Catalog:PermitsPerSecond", "0.01"), ("Security:RateLimits:Catalog:Burst", "5"));
        using var client = new HttpClient { BaseAddress = gateway.Address };
        var statuses = new List<HttpStatusCode>();
        for (var request = 0; request < 7; request++)
        {
            using var response = await client.GetAsync(new Uri(Catalog, UriKind.Relative), TestContext.Current.CancellationToken);
            statuses.Add(response.StatusCode);
        }

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.OK, 5), HttpStatusCode.TooManyRequests, HttpStatusCode.TooManyRequests], statuses);
    }

    /// <summary>Status, headers in order but for what tells the time, and body.</summary>
    private static async Task<string> AskAsync(HttpClient client, string[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Catalog);
        foreach (var header in headers)
        {
            request.Headers.TryAddWithoutValidation(header[..header.IndexOf(':', StringComparison.Ordinal)], header[(header.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
        }

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var lines = response.Headers.Concat(response.Content.Headers).Where(header => header.Key is not ("Date" or "Age" or "Cache-Status"))
            .Select(header => $"{header.Key}: {string.Join(" | ", header.Value)}").Order(StringComparer.Ordinal);
        return $"{(int)response.StatusCode}\n{string.Join('\n', lines)}\n\n{Convert.ToBase64String(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken))}";
    }
}
