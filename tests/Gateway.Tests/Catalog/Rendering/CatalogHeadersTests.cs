using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class CatalogHeadersTests
{
    private readonly TestClock _time = new();
    private readonly CatalogOptions _options = new();

    [Theory]
    [InlineData("\"a-br\"", true)]
    [InlineData("W/\"a-br\"", true)]
    [InlineData("*", true)]
    [InlineData("\"x\", \"a-br\"", true)]
    [InlineData("\"x\",W/\"a-br\" , \"y\"", true)]
    [InlineData("\"a\"", false)]
    [InlineData("\"a-gzip\"", false)]
    [InlineData("\"a\", \"a-gzip\", W/\"b-br\"", false)]
    [InlineData("\"A-BR\"", false)]
    [InlineData("a-br", false)]
    [InlineData("\"*\"", false)]
    [InlineData("", false)]
    [InlineData("garbage", false)]
    public void A_client_has_what_its_list_names_weakly_compared(string header, bool isNotModified) =>
        Assert.Equal(isNotModified, IsNotModified(header));

    [Fact]
    public void A_client_that_names_nothing_has_nothing() => Assert.False(IsNotModified());

    [Fact]
    public void The_list_may_come_in_several_lines() => Assert.True(IsNotModified("\"x\"", "\"y\", \"a-br\""));

    [Fact]
    public void A_fresh_answer_says_for_how_long_and_how_old_it_is()
    {
        var answer = Answer(TimeSpan.FromSeconds(42.9));
        _time.Advance(TimeSpan.FromSeconds(10.5));

        var headers = Set(answer, isHit: true);

        Assert.Equal("\"tag\"", headers.ETag);
        Assert.Equal("public, max-age=42, stale-while-revalidate=60, stale-if-error=86400", headers.CacheControl);
        Assert.Equal("10", headers.Age);
        Assert.Equal("gateway; hit; ttl=32", headers["Cache-Status"]);
    }

    [Fact]
    public void An_answer_that_an_upstream_was_asked_for_is_a_miss() =>
        Assert.Equal("gateway; fwd=miss; stored", Set(Answer(TimeSpan.FromSeconds(60)), isHit: false)["Cache-Status"]);

    [Fact]
    public void An_answer_of_stale_parts_is_not_fresh_anywhere() =>
        Assert.StartsWith("public, max-age=0, ", Set(Answer(-TimeSpan.FromHours(1)), isHit: true).CacheControl.ToString(), StringComparison.Ordinal);

    [Fact]
    public void A_private_answer_is_stored_nowhere()
    {
        var headers = Set(Answer(TimeSpan.FromSeconds(60)), isHit: true, Given.Request() with { Sandbox = true });

        Assert.Equal("private, no-store", headers.CacheControl);
    }

    [Theory]
    [InlineData("", "Query", "public")]
    [InlineData("", "Default", "public")]
    [InlineData("CF-IPCountry", "Query", "public")]
    [InlineData("CF-IPCountry", "Header", "private")]
    [InlineData("CF-IPCountry", "Default", "private")]
    public void What_a_header_could_have_changed_is_for_no_shared_cache(string countryHeader, string source, string audience)
    {
        _options.CountryHeader = countryHeader;

        var headers = Set(Answer(TimeSpan.FromSeconds(60)), isHit: true, Given.Request() with { CountrySource = Enum.Parse<CountrySource>(source) });

        Assert.Equal($"{audience}, max-age=60, stale-while-revalidate=60, stale-if-error=86400", headers.CacheControl);
        Assert.Equal(audience == "private" ? "no-store" : string.Empty, headers["CDN-Cache-Control"].ToString());
    }

    [Theory]
    [InlineData("", "Accept-Encoding, sandbox")]
    [InlineData("CF-IPCountry", "Accept-Encoding, sandbox, CF-IPCountry")]
    public void What_an_answer_depends_on_is_named(string countryHeader, string vary)
    {
        _options.CountryHeader = countryHeader;
        var context = new DefaultHttpContext();

        Headers().SetVary(context.Response);

        Assert.Equal(vary, context.Response.Headers.Vary);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task What_a_client_has_is_not_sent_again_and_says_the_same_as_the_whole_answer(string method)
    {
        var answer = Answer(TimeSpan.FromSeconds(60));
        var whole = await SendAsync(answer, method);
        var context = await SendAsync(answer, method, whole.Response.Headers.ETag.ToString());

        Assert.Equal((200, 304), (whole.Response.StatusCode, context.Response.StatusCode));
        Assert.Equal(0, context.Response.Body.Length);
        Assert.Null(context.Response.ContentLength);
        Assert.Null(context.Response.ContentType);
        Assert.Equal(whole.Response.Headers.ETag, context.Response.Headers.ETag);
        Assert.Equal(whole.Response.Headers.CacheControl, context.Response.Headers.CacheControl);
    }

    [Fact]
    public async Task HEAD_says_what_GET_says_without_a_body()
    {
        var answer = Answer(TimeSpan.FromSeconds(60));
        var get = await SendAsync(answer, "GET", accept: "br");
        var head = await SendAsync(answer, "HEAD", accept: "br");

        Assert.Equal(answer.Body(ContentCoding.Brotli).Length, get.Response.Body.Length);
        Assert.Equal(0, head.Response.Body.Length);
        Assert.Equal("br", head.Response.Headers.ContentEncoding);
        Assert.Equal(
            get.Response.Headers.Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal),
            head.Response.Headers.Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_tag_of_another_coding_is_another_answer()
    {
        var answer = Answer(TimeSpan.FromSeconds(60));

        var context = await SendAsync(answer, "GET", answer.ETag(ContentCoding.Gzip), accept: "br");

        Assert.Equal(200, context.Response.StatusCode);
        Assert.Equal(answer.ETag(ContentCoding.Brotli), context.Response.Headers.ETag);
    }

    private static bool IsNotModified(params string[] lines)
    {
        var context = new DefaultHttpContext();
        if (lines.Length > 0)
        {
            context.Request.Headers.IfNoneMatch = lines;
        }

        return CatalogHeaders.IsNotModified(context.Request, "\"a-br\"");
    }

    private CatalogHeaders Headers() => new(Fixed.Options(_options), Fixed.Options(new SecurityOptions()), _time);

    private IHeaderDictionary Set(RenderedCatalog answer, bool isHit, CatalogRequest? request = null)
    {
        var context = new DefaultHttpContext();
        Headers().Set(context.Response, answer, "\"tag\"", request ?? Given.Request(), isHit);
        return context.Response.Headers;
    }

    private async Task<HttpContext> SendAsync(RenderedCatalog answer, string method, string? ifNoneMatch = null, string? accept = null)
    {
        var context = new DefaultHttpContext();
        context.Response.Body = new MemoryStream();
        context.Request.Method = method;
        context.Request.Headers.IfNoneMatch = ifNoneMatch;
        context.Request.Headers.AcceptEncoding = accept;
        await new RenderedCatalogResult(answer, Given.Request(), Headers(), CatalogCacheStatus.Cached).ExecuteAsync(context);
        return context;
    }

    private RenderedCatalog Answer(TimeSpan fresh)
    {
        var response = CatalogMerge.Merge(
            Given.Request(),
            [new ProductListing("p", [Given.Component()])],
            new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal) { ["c"] = Given.Found(Given.Product()) },
            Given.Rules());
        return new RenderedCatalog(
            new AggregationResult(response, Problem: null, _time.Monotonic() + fresh, Loaded: false, Parts: []), response, _time.Monotonic(), epoch: 0);
    }
}
