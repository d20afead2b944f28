using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Fuzzing;

/// <summary>YARP's own transformers of routes as they are shipped, made by the transforms under test.</summary>
public sealed class HeaderPolicyFuzzTests : IAsyncLifetime
{
    private const string Token = "the-gateways-own-token";

    /// <summary>The contract's list.</summary>
    private static readonly string[] Up =
    [
        "accept", "accept-language", "accept-encoding", "content-type", "content-length", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
        "range", "user-agent", "sandbox",
    ];

    private static readonly string[] Down =
    [
        "content-type", "content-length", "content-encoding", "content-language", "content-range", "content-disposition", "accept-ranges", "allow", "etag", "last-modified", "date", "age",
        "cache-control", "expires", "pragma", "vary", "link", "retry-after", "ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
        "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset",
    ];

    private static readonly string[] Words =
    [
        "Authorization: Bearer theirs\n", "authorization:x\n", "Cookie: a=b\n", "X-Api-Key: k\n", "X-Forwarded-For: 1.2.3.4\n", "Forwarded: for=x\n", "X-HTTP-Method-Override: DELETE\n", "Accept: a/b\n", "ACCEPT-ENCODING: gzip\n",
        "sandbox: true\n", "SandBox: 1\n", "If-None-Match: \"x\"\n", "Range: bytes=0-\n", "User-Agent: x\n", "Content-Type: text/plain\n", "Host: evil\n", "traceparent: 00-x\n", "Via: x\n", "TE: trailers\n", "Connection: keep-alive, Accept\n",
        "Proxy-Authorization: x\n", "Set-Cookie: a=b\n", "set-cookie2: x\n", "Server: x\n", "WWW-Authenticate: Basic\n", "Clear-Site-Data: \"*\"\n", "Access-Control-Allow-Origin: *\n", "ACCESS-CONTROL-ALLOW-CREDENTIALS: true\n",
        "access-control-\n", "X-Content-Type-Options: sniff\n", "Retry-After: y\n", "X-Keep: y\n", "Refresh: 0\n", "Connection: Retry-After\n", "Location: http://evil/\n", "Cache-Control: public, s-maxage=9\n", "Cache-Control:", ":", "\n", "-", " ", "\t", "_", "Accept", "If-", "Access-Control-", "Set-Cookie", "x-", "trailer:\n",
    ];

    private WebApplication _app = null!;
    private RouteModel[] _routes = null!;

    public ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddFixedOptions(new RedisOptions());
        services.AddFixedOptions(new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" });
        services.AddFixedOptions(new PaymentwallOptions { ProjectKey = "key", SecretKey = "secret" });
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisLease>();
        services.AddSingleton<ITokenEndpoint, OneToken>();
        services.AddSingleton<AccessTokenStore>();
        services.AddSingleton<AccessTokenProvider>();
        services.AddSingleton<AccessTokenTransform>();
        services.AddSingleton<PaymentwallSignatureTransform>();
        services.AddReverseProxy()
            .LoadFromMemory(
                [Route("token", CredentialRoute.AccessToken), Route("signed", CredentialRoute.PaymentwallSignature), Route("plain", transform: null)],
                [new ClusterConfig { ClusterId = "c", Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal) { ["d"] = new() { Address = "https://upstream.example/" } } }])
            .AddTransformFactory<CredentialTransformFactory>()
            .AddTransforms<CredentialTransforms>();
        _app = builder.Build();
        _app.MapReverseProxy();
        var lookup = _app.Services.GetRequiredService<IProxyStateLookup>();
        _routes = [.. new[] { "token", "signed", "plain" }.Select(id => lookup.TryGetRoute(id, out var route) ? route : throw new InvalidOperationException(id))];
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>A case is the header lines of a request; the number of lines chooses the route.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task Nothing_travels_up_but_what_is_listed_and_the_gateways_own_token() => FuzzRun.OfTextAsync("headers-up", Words, async text =>
    {
        var lines = Lines(text);
        var context = new DefaultHttpContext();
        foreach (var (name, value) in lines)
        {
            context.Request.Headers.Append(name, value);
        }

        var route = _routes[lines.Count % 3];
        using var request = new HttpRequestMessage(HttpMethod.Get, (Uri?)null);
        request.Content = lines.Count % 2 == 0 ? new ByteArrayContent([]) : null;
        await route.Transformer.TransformRequestAsync(context, request, "https://upstream.example/", TestContext.Current.CancellationToken);

        Assert.Equal("upstream.example", request.RequestUri?.Host ?? "upstream.example");
        var sent = request.Headers.NonValidated.Concat(request.Content?.Headers.NonValidated ?? default).ToList();
        foreach (var (name, values) in sent)
        {
            if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) && route.Config.RouteId == "token")
            {
                Assert.Equal("Bearer " + Token, Assert.Single(values));
                continue;
            }

            Assert.Contains(name.ToLowerInvariant(), Up);
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Equal(Given(lines, name), values.Where(value => value.Length > 0));
            }
        }

        Assert.Equal(route.Config.RouteId == "token" ? 1 : 0, sent.Count(header => header.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase)));

        // And what is listed does travel, unless there is nothing in it.
        foreach (var name in new[] { "sandbox", "if-none-match", "accept-language" })
        {
            Assert.Equal(Given(lines, name).Count > 0, sent.Exists(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)));
        }

        return sent.Count > (route.Config.RouteId == "token" ? 1 : 0);
    });

    /// <summary>A case is the header lines of an upstream's answer, and after an empty line its trailers.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task Nothing_comes_down_that_sets_cookies_or_policies_for_the_gateways_origin() => FuzzRun.OfTextAsync("headers-down", Words, async text =>
    {
        var parts = text.Split("\n\n", 2);
        var (lines, trailers) = (Lines(parts[0]), Lines(parts.Length > 1 ? parts[1] : string.Empty));
        var context = new DefaultHttpContext();
        IHttpResponseTrailersFeature passed = new Trailers();
        context.Features.Set(passed);
        using var response = new HttpResponseMessage { Content = new ByteArrayContent([]) };
        foreach (var (name, value) in lines)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
            {
                response.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        foreach (var (name, value) in trailers)
        {
            response.TrailingHeaders.TryAddWithoutValidation(name, value);
        }

        var transformer = _routes[lines.Count % 3].Transformer;
        await transformer.TransformResponseAsync(context, response, TestContext.Current.CancellationToken);
        await transformer.TransformResponseTrailersAsync(context, response, TestContext.Current.CancellationToken);

        Assert.Equal("nosniff", context.Response.Headers.XContentTypeOptions.ToString());
        Assert.All(context.Response.Headers.Keys, name => Assert.Contains(name.ToLowerInvariant(), (string[])[.. Down, "x-content-type-options", "location", "cdn-cache-control"]));

        // These routes need a key.
        Assert.Matches("(?i)private|no-store", context.Response.Headers.CacheControl.ToString());
        Assert.Equal("no-store", context.Response.Headers["CDN-Cache-Control"].ToString());
        Assert.All(passed.Trailers.Keys, name => Assert.Contains(name.ToLowerInvariant(), Down));
        var hopByHop = response.Headers.Connection.ToList();
        var kept = lines.Where(line => line.Name.Equals("Retry-After", StringComparison.OrdinalIgnoreCase) && !hopByHop.Contains(line.Name, StringComparer.OrdinalIgnoreCase)).ToList();
        Assert.All(kept, line => Assert.Contains(line.Value, context.Response.Headers[line.Name].ToArray()));
        return kept.Count > 0;
    });

    /// <summary>What is in the lines of a name; an empty line says nothing.</summary>
    private static List<string> Given(List<(string Name, string Value)> lines, string name) =>
        [.. lines.Where(line => line.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && line.Value.Length > 0).Select(line => line.Value)];

    /// <summary>As a server hands them over: names that are not empty, values trimmed and without what ends a line.</summary>
    private static List<(string Name, string Value)> Lines(string text) =>
    [
        .. text.Split('\n').Select(line => line.Split(':', 2))
            .Where(line => line.Length == 2 && line[0].Length > 0 && !line[1].AsSpan().ContainsAny('\r', '\0'))
            .Select(line => (line[0], line[1].Trim())),
    ];

    private static RouteConfig Route(string id, string? transform) => new()
    {
        RouteId = id,
        ClusterId = "c",
        Match = new RouteMatch { Path = "/" + id },
        Transforms = transform is null ? null : [new Dictionary<string, string>(StringComparer.Ordinal) { [transform] = "true" }],
    };

    private sealed class OneToken : ITokenEndpoint
    {
        public Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IssuedToken?>(new IssuedToken(Token, TimeSpan.FromDays(10)));
    }

    private sealed class Trailers : IHttpResponseTrailersFeature
    {
        IHeaderDictionary IHttpResponseTrailersFeature.Trailers { get; set; } = new HeaderDictionary();
    }
}
