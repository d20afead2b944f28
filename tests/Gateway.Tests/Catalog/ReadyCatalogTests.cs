using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Catalog;

public sealed class ReadyCatalogTests : IDisposable
{
    private const string Target = "/catalog?product=p&country=US&lang=en";

    private readonly CatalogUnderTest _test = new();
    private readonly CustomerCountryOptions _country = new();
    private readonly KnownRequests _requests;
    private readonly CatalogHeaders _headers;
    private readonly ReadyCatalog _ready;
    private int _longWays;

    public ReadyCatalogTests()
    {
        _requests = new KnownRequests(Options.Create(_country));
        _headers = new CatalogHeaders(Options.Create(new CacheOptions()), Options.Create(_country), Options.Create(new CatalogAccessOptions()), _test.Time);
        _ready = new ReadyCatalog(
            _ =>
            {
                _longWays++;
                return Task.CompletedTask;
            },
            _requests,
            _test.Answers,
            _headers);
    }

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(null, null)]
    [InlineData("gzip", null)]
    [InlineData("br", "W/\"x\"")]
    public async Task The_short_way_answers_exactly_as_the_long_one(string? accept, string? ifNoneMatch)
    {
        var answer = (await _test.AskAsync()).Answer!;
        var (longWay, shortWay) = (Context(accept), Context(accept));
        longWay.Request.Headers.IfNoneMatch = shortWay.Request.Headers.IfNoneMatch = ifNoneMatch;
        await CatalogEndpoints.WriteReadyAsync(longWay, answer, Given.Question(), ContentCodings.Negotiate(longWay.Request.Headers), _headers);
        _requests.Remember(longWay, Given.Question());

        await _ready.InvokeAsync(shortWay);

        Assert.Equal(0, _longWays);
        Assert.Equal(Seen(longWay), Seen(shortWay));
        Assert.Equal(answer.Body(ContentCodings.Negotiate(longWay.Request.Headers)), ((MemoryStream)shortWay.Response.Body).ToArray());
    }

    [Fact]
    public async Task What_a_client_has_is_not_sent_again()
    {
        var answer = (await _test.AskAsync()).Answer!;
        var context = Context();
        context.Request.Headers.IfNoneMatch = answer.ETag(ContentCoding.Identity);
        _requests.Remember(context, Given.Question());

        await _ready.InvokeAsync(context);

        Assert.Equal((0, 304, 0), (_longWays, context.Response.StatusCode, context.Response.Body.Length));
    }

    [Fact]
    public async Task A_request_that_was_not_seen_before_goes_the_long_way()
    {
        await _test.AskAsync();

        await _ready.InvokeAsync(Context());

        Assert.Equal(1, _longWays);
    }

    [Fact]
    public async Task An_answer_that_is_no_longer_ready_goes_the_long_way()
    {
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Question());
        _test.Time.Advance(TimeSpan.FromSeconds(61));

        await _ready.InvokeAsync(Context());

        Assert.Equal(1, _longWays);
    }

    [Fact]
    public async Task A_purge_ends_it()
    {
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Question());
        await _test.Ledger.PurgeAsync(new PurgeScope(Tag: null, Hard: false));

        await _ready.InvokeAsync(Context());

        Assert.Equal(1, _longWays);
    }

    [Theory]
    [InlineData("HEAD", Target, "", "", "")]
    [InlineData("GET", Target + "&sandbox=true", "", "", "")]
    [InlineData("GET", Target, "gzip", "", "")]
    [InlineData("GET", Target, "", "true", "")]
    [InlineData("GET", Target, "", "", "DE")]
    public void Another_request_is_another_question(string method, string target, string accept, string sandbox, string country)
    {
        _country.CountryHeader = "CF-IPCountry";
        _requests.Remember(Context(), Given.Question());
        var context = Context(accept.Length > 0 ? accept : null, target);
        context.Request.Method = method;
        context.Request.Headers["sandbox"] = sandbox.Length > 0 ? sandbox : default(Microsoft.Extensions.Primitives.StringValues);
        context.Request.Headers["CF-IPCountry"] = country.Length > 0 ? country : default(Microsoft.Extensions.Primitives.StringValues);

        Assert.NotNull(_requests.Find(Context()));
        Assert.Null(_requests.Find(context));
    }

    [Fact]
    public void What_is_not_for_everybody_is_not_remembered()
    {
        _requests.Remember(Context(), Given.Question() with { Status = "inactive" });

        Assert.Null(_requests.Find(Context()));
    }

    [Fact]
    public void A_header_in_several_lines_is_read_anew_each_time()
    {
        var context = Context();
        context.Request.Headers["sandbox"] = new(["true", "false"]);

        _requests.Remember(context, Given.Question());

        Assert.Null(_requests.Find(context));
    }

    [Fact]
    public void What_is_remembered_is_bounded()
    {
        string Other(int n) => $"/catalog?product=p&x={n}";
        for (var n = 0; n < 3 * KnownRequests.Capacity; n++)
        {
            _requests.Remember(Context(target: Other(n)), Given.Question());
        }

        Assert.InRange(Enumerable.Range(0, 3 * KnownRequests.Capacity).Count(n => _requests.Find(Context(target: Other(n))) is not null), 1, KnownRequests.Capacity);
    }

    [Theory]
    [InlineData("target")]
    [InlineData("Accept-Encoding")]
    [InlineData("sandbox")]
    [InlineData("CF-IPCountry")]
    public void What_is_long_is_not_kept(string where)
    {
        _country.CountryHeader = "CF-IPCountry";
        HttpContext Of(int characters)
        {
            var context = Context(target: where == "target" ? new string('x', characters) : "/c");
            if (where != "target")
            {
                context.Request.Headers[where] = new string('x', characters - 2);
            }

            return context;
        }

        _requests.Remember(Of(KnownRequests.Longest), Given.Question());
        _requests.Remember(Of(KnownRequests.Longest + 1), Given.Question());

        Assert.NotNull(_requests.Find(Of(KnownRequests.Longest)));
        Assert.Null(_requests.Find(Of(KnownRequests.Longest + 1)));
    }

    /// <summary>Beside what the server itself needs for headers and body, which is counted on the same context and taken off.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_warm_answer_allocates_nothing(bool isNotModified)
    {
        var answer = (await _test.AskAsync()).Answer!;
        var context = Context();
        context.Response.Body = Stream.Null;
        if (isNotModified)
        {
            context.Request.Headers.IfNoneMatch = answer.ETag(ContentCoding.Identity);
        }

        _requests.Remember(context, Given.Question());
        var bare = Allocated(() => WriteBare(context, answer, isNotModified));

        Assert.Equal(bare, Allocated(() => _ready.InvokeAsync(context)));
        Assert.Equal(0, _longWays);
    }

    /// <summary>The same headers and body, written by hand.</summary>
    private static Task WriteBare(HttpContext context, ReadyAnswer answer, bool isNotModified)
    {
        var response = context.Response;
        response.Headers.Vary = "Accept-Encoding, sandbox";
        response.Headers["Server-Timing"] = "cache;desc=\"hit\"";
        context.Features.Set(CatalogFacts.Of(CatalogFacts.Ready, "complete"));
        response.Headers.ETag = "tag";
        response.Headers.CacheControl = "public";
        response.Headers.Age = "0";
        response.Headers["Cache-Status"] = "gateway; hit";
        if (isNotModified)
        {
            response.StatusCode = 304;
            return Task.CompletedTask;
        }

        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = answer.Identity.Length;
        return response.Body.WriteAsync(answer.Identity, 0, answer.Identity.Length, context.RequestAborted);
    }

    private static long Allocated(Func<Task> answer)
    {
        for (var n = 0; n < 100; n++)
        {
            Assert.True(answer().IsCompletedSuccessfully);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < 1_000; n++)
        {
            _ = answer();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000;
    }

    private static string Seen(HttpContext context) => string.Join(
        '\n',
        context.Response.Headers.OrderBy(header => header.Key, StringComparer.Ordinal).Select(header => $"{header.Key}: {header.Value}")
            .Prepend(context.Response.StatusCode.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    private static DefaultHttpContext Context(string? accept = null, string target = Target)
    {
        var context = new DefaultHttpContext();
        context.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        context.Request.Method = "GET";
        context.Request.Headers.AcceptEncoding = accept;
        context.Response.Body = new MemoryStream();
        return context;
    }
}
