using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Tests.Proxy;

public sealed class ProxyGuardTests
{
    private readonly ProxyGuard _guard = new(new CustomerCountry(Fixed.Options(new CatalogOptions { DefaultCountry = "jp" })));

    [Theory]
    [InlineData("GET", true)]
    [InlineData("OPTIONS", true)]
    [InlineData("PATCH", true)]
    [InlineData("get", false)]
    [InlineData("TRACE", false)]
    [InlineData("CONNECT", false)]
    [InlineData("LOCK", false)]
    public void Only_listed_methods_are_forwarded(string method, bool passes)
    {
        // Also where no credentials are attached.
        Assert.Equal(passes, ProxyGuard.Check(Request(method), Route("proxy")) is null);
        Assert.Equal(passes, ProxyGuard.Check(Request(method), Route("proxy") with { Transforms = null }) is null);
    }

    [Theory]
    [InlineData("100-continue", true)]
    [InlineData("100-Continue", true)]
    [InlineData("200-ok", false)]
    [InlineData("100-continue, more", false)]
    public void Only_100_continue_may_be_expected(string expect, bool passes)
    {
        var context = Request("POST");
        context.Request.Headers.Expect = expect;

        Assert.Equal(passes, ProxyGuard.Check(context, Route("proxy")) is null);
    }

    [Theory]
    [InlineData("Content-Length", "1", false)]
    [InlineData("Content-Length", "0", true)]
    [InlineData("Transfer-Encoding", "chunked", false)]
    public void Only_callers_with_a_key_send_a_body(string header, string value, bool passes)
    {
        var context = Request("GET");
        context.Request.Headers[header] = value;

        Assert.Equal(passes, ProxyGuard.Check(context, Route("anonymous")) is null);
        Assert.Null(ProxyGuard.Check(context, Route("proxy")));
    }

    [Fact]
    public void Checking_changes_nothing_and_preparing_adds_the_country_to_what_is_signed_for_anybody()
    {
        var open = Route("anonymous", CredentialRoute.PaymentwallSignature);
        var context = Request("GET");
        context.Request.QueryString = new QueryString("?ag_external_id=x");

        Assert.Null(ProxyGuard.Check(context, open));
        Assert.Equal("?ag_external_id=x", context.Request.QueryString.Value);
        _guard.Prepare(context.Request, Route("proxy", CredentialRoute.PaymentwallSignature));
        Assert.Equal("?ag_external_id=x", context.Request.QueryString.Value);

        _guard.Prepare(context.Request, open);
        _guard.Prepare(context.Request, open);

        Assert.Equal("?ag_external_id=x&country_code=JP", context.Request.QueryString.Value);
    }

    private static DefaultHttpContext Request(string method)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Path = "/x";
        return context;
    }

    private static RouteConfig Route(string policy, string transform = CredentialRoute.AccessToken) => new()
    {
        RouteId = "r",
        AuthorizationPolicy = policy,
        Match = new RouteMatch(),
        Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { [transform] = "true" }],
    };
}
