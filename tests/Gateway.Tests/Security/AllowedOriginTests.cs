using Gateway.Security;

namespace Gateway.Tests.Security;

public sealed class AllowedOriginTests
{
    [Theory]
    [InlineData("https://shop.example.com")]
    [InlineData("https://shop.example.com:8443")]
    [InlineData("https://shop.example.com:443")]
    [InlineData("http://shop.example.com")]
    [InlineData("http://localhost:3000")]
    [InlineData("http://127.0.0.1:3000")]
    [InlineData("http://[::1]:3000")]
    [InlineData("HTTPS://Shop.Example.COM")]
    [InlineData("https://bücher.example")]
    [InlineData("https://intranet")]
    [InlineData("https://*.example.com")]
    [InlineData("https://*.eu.example.com:8443")]
    public void A_scheme_and_a_host_are_an_origin(string origin) => Assert.Null(AllowedOrigin.Error(origin));

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("**")]
    public void Everybody_is_not(string origin) => Assert.Contains("every page on the web", AllowedOrigin.Error(origin), StringComparison.Ordinal);

    [Theory]
    [InlineData("null")]
    [InlineData("shop.example.com")]
    [InlineData("//shop.example.com")]
    [InlineData("https:/shop.example.com")]
    [InlineData("https://")]
    [InlineData("https://*")]
    [InlineData("https://*.")]
    [InlineData("*://shop.example.com")]
    [InlineData("file:///srv/shop")]
    [InlineData("ftp://shop.example.com")]
    [InlineData("data:text/html,x")]
    [InlineData("https://shop.example.com/")]
    [InlineData("https://shop.example.com/path")]
    [InlineData("https://shop.example.com?x")]
    [InlineData("https://shop.example.com#x")]
    [InlineData("https://shop.example.com\\x")]
    [InlineData("https://user@shop.example.com")]
    [InlineData("https://user:password@shop.example.com")]
    [InlineData("https://shop.example.com@evil.example")]
    [InlineData("https://shop.*.example.com")]
    [InlineData("https://shop.example.*")]
    [InlineData("https://*shop.example.com")]
    [InlineData("https://*.*.example.com")]
    [InlineData("https://shop.example.com:*")]
    [InlineData("https://shop.example.com:port")]
    [InlineData("https://shop.example.com:70000")]
    [InlineData("https://shop example.com")]
    [InlineData("https://shop.example.com https://other.example.com")]
    [InlineData("https://shop.example.com;https://other.example.com")]
    public void What_browsers_never_send_is_not(string origin) => Assert.Contains("not an origin", AllowedOrigin.Error(origin), StringComparison.Ordinal);

    [Theory]
    [InlineData("https://*.com")]
    [InlineData("https://*.localhost")]
    [InlineData("http://*.example.com")]
    [InlineData("https://*.127.0.0.1")]
    [InlineData("https://*.[::1]")]
    public void A_wildcard_over_too_much_is_refused(string origin) => Assert.NotNull(AllowedOrigin.Error(origin));
}
