using System.Diagnostics;
using System.Net;
using Gateway.Caching;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Serilog.Events;

namespace Gateway.Tests.Catalog.Rendering;

public sealed class CatalogFastPathTests : IDisposable
{
    private const string Target = "/catalog?product=p&country=US&lang=en";

    private readonly CatalogUnderTest _test = new();
    private readonly CatalogOptions _country = new();
    private readonly RequestParseCache _requests;
    private readonly CatalogHeaders _headers;
    private readonly ServiceProvider _services;
    private readonly SecurityOptions _security = new();
    private readonly HostingOptions _log = new() { WarmRequestLogSampling = 0 };
    private readonly CatalogFastPath _fastPath;
    private int _passedOn;

    public CatalogFastPathTests()
    {
        _requests = new RequestParseCache(Fixed.Options(_country));
        _headers = new CatalogHeaders(Fixed.Options(_country), Fixed.Options(new SecurityOptions()), _test.Time);
        _security.Cors.Origins.Add("https://*.example.com");
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(_test.Time);
        services.AddFixedOptions(_security);
        services.AddFixedOptions(_log);
        services.AddSingleton<SecurityHeaders>();
        services.AddGatewayCors();
        services.AddSingleton(_requests);
        services.AddSingleton(_test.Answers);
        services.AddSingleton(_headers);
        _services = services.BuildServiceProvider();
        _fastPath = ActivatorUtilities.CreateInstance<CatalogFastPath>(_services, (RequestDelegate)(_ =>
        {
            _passedOn++;
            return Task.CompletedTask;
        }));
    }

    public void Dispose()
    {
        _services.Dispose();
        _test.Dispose();
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("gzip", null, "https://shop.example.com")]
    [InlineData("br", "W/\"x\"", "https://shop.example.org")]
    [InlineData(null, "*", "https://shop.example.com")]
    [InlineData(null, null, "")]
    public async Task It_answers_exactly_as_the_pipeline_does(string? accept, string? ifNoneMatch, string? origin)
    {
        var answer = (await _test.AskAsync()).Catalog!;
        var (pipeline, fast) = (Context(accept), Context(accept));
        pipeline.Request.Headers.IfNoneMatch = fast.Request.Headers.IfNoneMatch = ifNoneMatch;
        pipeline.Request.Headers.Origin = fast.Request.Headers.Origin = origin;
        pipeline.SetEndpoint(new Endpoint(requestDelegate: null, EndpointMetadataCollection.Empty, "catalog"));

        // What the framework's own service says of this page, and the headers of every answer.
        var (cors, policy) = (_services.GetRequiredService<ICorsService>(), _services.GetRequiredService<IOptions<CorsOptions>>().Value.GetPolicy("__DefaultCorsPolicy")!);
        _headers.SetVary(pipeline.Response);
        await new RenderedCatalogResult(answer, Given.Request(), _headers, CatalogCacheStatus.Ready).ExecuteAsync(pipeline);
        cors.ApplyResult(cors.EvaluatePolicy(pipeline, policy), pipeline.Response);
        await _services.GetRequiredService<SecurityHeaders>().OnStarting(pipeline);
        _requests.Remember(pipeline, Given.Request());

        await _fastPath.InvokeAsync(fast);

        Assert.Equal(0, _passedOn);
        Assert.Equal(Seen(pipeline), Seen(fast));
        Assert.Equal(((MemoryStream)pipeline.Response.Body).ToArray(), ((MemoryStream)fast.Response.Body).ToArray());
        Assert.Same(pipeline.GetEndpoint(), fast.GetEndpoint());
    }

    [Fact]
    public async Task What_a_client_has_is_not_sent_again()
    {
        var answer = (await _test.AskAsync()).Catalog!;
        var context = Context();
        context.Request.Headers.IfNoneMatch = answer.ETag(ContentCoding.Identity);
        _requests.Remember(context, Given.Request());

        await _fastPath.InvokeAsync(context);

        Assert.Equal((0, 304, 0), (_passedOn, context.Response.StatusCode, context.Response.Body.Length));
    }

    [Fact]
    public async Task A_request_that_was_not_parsed_before_is_passed_on()
    {
        await _test.AskAsync();

        await _fastPath.InvokeAsync(Context());

        Assert.Equal(1, _passedOn);
    }

    [Fact]
    public async Task A_catalog_that_is_no_longer_current_is_passed_on()
    {
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Request());
        _test.Time.Advance(TimeSpan.FromSeconds(61));

        await _fastPath.InvokeAsync(Context());

        Assert.Equal(1, _passedOn);
    }

    [Fact]
    public async Task A_purge_ends_it()
    {
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Request());
        await _test.Purges.PurgeAsync(new PurgeScope(Tag: null, Hard: false));

        await _fastPath.InvokeAsync(Context());

        Assert.Equal(1, _passedOn);
    }

    [Fact]
    public async Task An_API_key_is_passed_on_to_be_authenticated()
    {
        await _test.AskAsync();
        var context = Context();
        context.Request.Headers["X-Api-Key"] = "of-anybody";
        _requests.Remember(context, Given.Request());

        await _fastPath.InvokeAsync(context);

        Assert.Equal(1, _passedOn);
    }

    [Fact]
    public async Task A_request_that_is_to_be_logged_is_passed_on_and_is()
    {
        var lines = 0;
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Request());
        var ready = ActivatorUtilities.CreateInstance<CatalogFastPath>(_services, (RequestDelegate)(context =>
        {
            CatalogCacheStatus.Of(CatalogCacheStatus.Ready, "complete").Record(context);
            lines += RequestLogging.LevelOf(context, _log.WarmRequestLogSampling) == LogEventLevel.Information ? 1 : 0;
            return Task.CompletedTask;
        }));

        // Six standard deviations: of those that are chosen all are logged, and not a tenth again; of the others none.
        _log.WarmRequestLogSampling = 0.1;
        for (var request = 0; request < 10_000; request++)
        {
            await ready.InvokeAsync(Context());
        }

        Assert.InRange(lines, 1_000 - 180, 1_000 + 180);
    }

    [Fact]
    public async Task A_span_that_is_collected_says_what_it_was()
    {
        await _test.AskAsync();
        _requests.Remember(Context(), Given.Request());
        using var span = new Activity("request") { IsAllDataRequested = true };
        var context = Context();
        context.Features.Set<IHttpActivityFeature>(new ActivityFeature { Activity = span });

        await _fastPath.InvokeAsync(context);

        Assert.Equal(("ready", "complete"), (span.GetTagItem("gateway.catalog.cache"), span.GetTagItem("gateway.catalog.completeness")));
    }

    [Theory]
    [InlineData("HEAD", Target, "", "", "")]
    [InlineData("GET", Target + "&sandbox=true", "", "", "")]
    [InlineData("GET", Target, "gzip", "", "")]
    [InlineData("GET", Target, "", "true", "")]
    [InlineData("GET", Target, "", "", "DE")]
    public void Another_request_is_not_found(string method, string target, string accept, string sandbox, string country)
    {
        _country.CountryHeader = "CF-IPCountry";
        _requests.Remember(Context(), Given.Request());
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
        _requests.Remember(Context(), Given.Request() with { Status = "inactive" });

        Assert.Null(_requests.Find(Context()));
    }

    /// <summary>Was: counted each time, so that ten requests made often emptied it.</summary>
    [Fact]
    public void What_is_known_takes_no_room_again()
    {
        _requests.Remember(Context(), Given.Request());
        for (var n = 0; n < 2 * RequestParseCache.Capacity; n++)
        {
            _requests.Remember(Context(target: Target + "&other"), Given.Request());
        }

        Assert.NotNull(_requests.Find(Context()));
    }

    [Fact]
    public void A_header_in_several_lines_is_read_anew_each_time()
    {
        var context = Context();
        context.Request.Headers["sandbox"] = new(["true", "false"]);

        _requests.Remember(context, Given.Request());

        Assert.Null(_requests.Find(context));
    }

    [Fact]
    public void What_is_remembered_is_bounded()
    {
        string Other(int n) => $"/catalog?product=p&x={n}";
        for (var n = 0; n < 3 * RequestParseCache.Capacity; n++)
        {
            _requests.Remember(Context(target: Other(n)), Given.Request());
        }

        Assert.InRange(Enumerable.Range(0, 3 * RequestParseCache.Capacity).Count(n => _requests.Find(Context(target: Other(n))) is not null), 1, RequestParseCache.Capacity);
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

        _requests.Remember(Of(RequestParseCache.MaxLength), Given.Request());
        _requests.Remember(Of(RequestParseCache.MaxLength + 1), Given.Request());

        Assert.NotNull(_requests.Find(Of(RequestParseCache.MaxLength)));
        Assert.Null(_requests.Find(Of(RequestParseCache.MaxLength + 1)));
    }

    /// <summary>Beside what the server itself needs for headers and body, which is counted on the same context and taken off.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_warm_answer_allocates_nothing(bool isNotModified)
    {
        var answer = (await _test.AskAsync()).Catalog!;
        var context = Context();
        context.Response.Body = Stream.Null;
        if (isNotModified)
        {
            context.Request.Headers.IfNoneMatch = answer.ETag(ContentCoding.Identity);
        }

        _requests.Remember(context, Given.Request());
        var bare = Allocated(() => WriteBare(context, answer, isNotModified));

        Assert.Equal(bare, Allocated(() => _fastPath.InvokeAsync(context)));
        Assert.Equal(0, _passedOn);
    }

    /// <summary>The same headers and body, written by hand.</summary>
    private static Task WriteBare(HttpContext context, RenderedCatalog answer, bool isNotModified)
    {
        var response = context.Response;
        response.Headers.Vary = "Accept-Encoding, sandbox";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ContentSecurityPolicy = "default-src 'none'";
        response.Headers["Server-Timing"] = "cache;desc=\"hit\"";
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
        return response.BodyWriter.WriteAsync(answer.Identity).AsTask();
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
        context.Request.Path = "/catalog";

        // As a listener on all addresses has it.
        context.Connection.RemoteIpAddress = IPAddress.Parse("::ffff:203.0.113.7");
        context.Request.Method = "GET";
        context.Request.Headers.AcceptEncoding = accept;
        context.Response.Body = new MemoryStream();
        return context;
    }

    private sealed class ActivityFeature : IHttpActivityFeature
    {
        public required Activity Activity { get; set; }
    }
}
