using Gateway.Egress;

namespace Gateway.Tests.Egress;

/// <summary>Which proxy a request goes through, by key and environment, and what is wrong with them.</summary>
public sealed class EgressProxyTests
{
    internal static EgressProxy None => EgressProxy.Read(new EgressOptions(), _ => null, []);

    [Theory]
    [InlineData("https://api.example.com/", "http://secure:3128/", "HTTPS_PROXY=http://secure:3128", "HTTP_PROXY=http://plain:3128")]
    [InlineData("http://api.example.com/", "http://plain:3128/", "HTTPS_PROXY=http://secure:3128", "HTTP_PROXY=http://plain:3128/")]
    [InlineData("http://api.example.com/", null, "HTTPS_PROXY=http://secure:3128")]
    [InlineData("https://api.example.com/", null, "HTTP_PROXY=http://plain:3128", "HTTPS_PROXY=")]
    [InlineData("https://api.example.com/", "http://lower/", "https_proxy=http://lower", "HTTPS_PROXY=http://upper:3128")]
    [InlineData("https://api.example.com/", "http://upper:3128/", "https_proxy=", "HTTPS_PROXY=http://upper:3128")]
    [InlineData("https://api.example.com/", "http://every:3128/", "ALL_PROXY=http://every:3128", "HTTP_PROXY=http://plain:3128")]
    [InlineData("http://api.example.com/", "http://plain:3128/", "all_proxy=http://every:3128", "HTTP_PROXY=http://plain:3128")]
    [InlineData("http://localhost:5000/", "http://plain:3128/", "HTTP_PROXY=http://plain:3128")]
    [InlineData("https://api.example.com/", "http://key:8080/", "Address=http://key:8080", "HTTPS_PROXY=rubbish")]
    [InlineData("http://api.example.com/", "http://key:8080/", "Address=http://key:8080", "HTTP_PROXY=http://plain:3128")]
    [InlineData("https://api.example.com/", null, "Address=http://key:8080", "NO_PROXY=example.com")]
    [InlineData("https://api.example.com/", "http://[::1]:3128/", "HTTPS_PROXY=http://[::1]:3128")]
    public void The_key_goes_over_the_environment_and_lower_case_over_upper(string asked, string? expected, params string[] world)
    {
        var (proxy, errors) = Read(world);

        Assert.Empty(errors);
        Assert.Equal(expected, proxy.GetProxy(new Uri(asked))?.AbsoluteUri);
        Assert.Equal(expected is null, proxy.IsBypassed(new Uri(asked)));
    }

    [Theory]
    [InlineData("*", "https://api.example.com/", true)]
    [InlineData("example.com", "https://api.example.com/", true)]
    [InlineData("EXAMPLE.com", "https://example.COM/", true)]
    [InlineData(".example.com", "https://api.example.com/", true)]
    [InlineData(".example.com", "https://example.com/", true)]
    [InlineData("*.example.com", "https://api.example.com/", true)]
    [InlineData("example.com", "https://notexample.com/", false)]
    [InlineData("api.example.com", "https://example.com/", false)]
    [InlineData("localhost, a.example ,example.com", "https://example.com/", true)]
    [InlineData("localhost example.com", "https://example.com/", true)]
    [InlineData("example.com:8443", "https://example.com:8443/", true)]
    [InlineData("example.com:8443", "https://example.com/", false)]
    [InlineData("10.0.0.0/8", "https://10.20.30.40/", true)]
    [InlineData("10.0.0.0/8", "https://11.20.30.40/", false)]
    [InlineData("10.0.0.0/8", "https://ten.example.com/", false)]
    [InlineData("10.0.0.7", "https://10.0.0.7/", true)]
    [InlineData("10.0.0.7:8443", "https://10.0.0.7:8443/", true)]
    [InlineData("10.0.0.7:8443", "https://10.0.0.7/", false)]
    [InlineData("::1", "https://[::1]:8443/", true)]
    [InlineData("[::1]:8443", "https://[::1]:8443/", true)]
    [InlineData("[::1]:8443", "https://[::1]/", false)]
    [InlineData("fc00::/7", "https://[fd00::1]/", true)]
    public void No_proxy_exempts_hosts_those_below_them_addresses_and_networks(string list, string asked, bool isExempt)
    {
        var (proxy, errors) = Read("HTTPS_PROXY=http://proxy:3128", "no_proxy=" + list);

        Assert.Empty(errors);
        Assert.Equal(isExempt, proxy.IsBypassed(new Uri(asked)));
    }

    [Theory]
    [InlineData("HTTPS_PROXY: stands in quotes", "HTTPS_PROXY=\"http://proxy:3128\"")]
    [InlineData("HTTPS_PROXY: stands in quotes", "HTTPS_PROXY='http://proxy:3128'")]
    [InlineData("HTTPS_PROXY: has no scheme", "HTTPS_PROXY=proxy:3128")]
    [InlineData("https_proxy: has no scheme", "https_proxy=proxy")]
    [InlineData("HTTPS_PROXY: has no scheme", "HTTPS_PROXY=user:s3cret@proxy:3128")]
    [InlineData("HTTPS_PROXY: begins or ends with a blank", "HTTPS_PROXY=http://proxy:3128 ")]
    [InlineData("HTTPS_PROXY: ends with a line end", "HTTPS_PROXY=http://proxy:3128\r")]
    [InlineData("HTTPS_PROXY: begins or ends with a blank", "HTTPS_PROXY= ")]
    [InlineData("HTTPS_PROXY: is not an http proxy", "HTTPS_PROXY=https://proxy:3128")]
    [InlineData("HTTPS_PROXY: is not an http proxy", "HTTPS_PROXY=socks5://proxy:1080")]
    [InlineData("HTTPS_PROXY: is not a proxy's address", "HTTPS_PROXY=http://user:s3cret#1@proxy:3128")]
    [InlineData("HTTPS_PROXY: is not a proxy's address", "HTTPS_PROXY=http://proxy:3128/path")]
    [InlineData("HTTPS_PROXY: is not a proxy's address", "HTTPS_PROXY=http://proxy:port")]
    [InlineData("HTTP_PROXY: has no scheme", "HTTP_PROXY=proxy:3128")]
    [InlineData("ALL_PROXY: is not an http proxy", "ALL_PROXY=socks5://proxy:1080", "HTTPS_PROXY=http://proxy:3128")]
    [InlineData("Proxy:Address: has no scheme", "Address=proxy:3128")]
    [InlineData("Proxy:Address: stands in quotes", "Address=\"http://user:s3cret@proxy:3128\"")]
    [InlineData("Proxy:User: HTTPS_PROXY has a user too", "HTTPS_PROXY=http://user:s3cret@proxy:3128", "User=another")]
    [InlineData("Proxy:Password: has no user", "HTTPS_PROXY=http://proxy:3128", "Password=s3cret")]
    [InlineData("NO_PROXY: stands in quotes", "NO_PROXY=\"localhost\"")]
    [InlineData("no_proxy: ends with a line end", "no_proxy=localhost\r")]
    [InlineData("NO_PROXY: 'local;host' is neither", "NO_PROXY=local;host")]
    [InlineData("NO_PROXY: '10.0.0.0/33' is neither", "NO_PROXY=10.0.0.0/33")]
    [InlineData("NO_PROXY: 'host:port' is neither", "NO_PROXY=host:port")]
    [InlineData("NO_PROXY: '10.0.*' is neither", "NO_PROXY=10.0.*")]
    public void What_cannot_be_read_is_named_with_the_fix_and_without_its_value(string expected, params string[] world)
    {
        var error = Assert.Single(Read(world).Errors.Distinct());

        Assert.StartsWith(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("user", "p@ss:word/#", "HTTPS_PROXY=http://user:p%40ss%3Aword%2F%23@proxy:3128")]
    [InlineData("user", "", "HTTPS_PROXY=http://user@proxy:3128")]
    [InlineData("user", "p@ss, \"word\"", "HTTPS_PROXY=http://proxy:3128", "User=user", "Password=p@ss, \"word\"")]
    [InlineData("user", "pass", "Address=http://proxy:3128", "User=user", "Password=pass")]
    public void Credentials_are_beside_the_address_and_for_that_proxy_alone(string user, string password, params string[] world)
    {
        var (proxy, errors) = Read([.. world, "HTTP_PROXY=http://another:3128"]);

        Assert.Empty(errors);
        var address = proxy.GetProxy(new Uri("https://api.example.com/"))!;
        Assert.Equal("http://proxy:3128/", address.AbsoluteUri);
        var known = proxy.Credentials!.GetCredential(address, "Basic")!;
        Assert.Equal((user, password), (known.UserName, known.Password));
        Assert.Null(proxy.Credentials.GetCredential(new Uri("http://elsewhere:3128/"), "Basic"));
    }

    [Fact]
    public void The_collector_is_not_behind_it()
    {
        var (proxy, _) = Read("HTTP_PROXY=http://proxy:3128", "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317");

        Assert.True(proxy.IsBypassed(new Uri("http://collector:4317/v1/traces")));
        Assert.False(proxy.IsBypassed(new Uri("http://collector/")));
    }

    [Fact]
    public void Without_a_proxy_a_handler_goes_straight_and_nothing_is_around_it()
    {
        using var handler = new SocketsHttpHandler();

        None.ApplyTo(handler);

        Assert.False(handler.UseProxy);
        Assert.Same(handler, None.Around(handler));
        Assert.True(None.IsBypassed(new Uri("https://api.example.com/")));
    }

    private static (EgressProxy Proxy, List<string> Errors) Read(params string[] world)
    {
        var values = world.ToDictionary(one => one[..one.IndexOf('=', StringComparison.Ordinal)], one => one[(one.IndexOf('=', StringComparison.Ordinal) + 1)..], StringComparer.Ordinal);
        var errors = new List<string>();
        var options = new EgressOptions
        {
            Address = values.GetValueOrDefault("Address", string.Empty),
            User = values.GetValueOrDefault("User", string.Empty),
            Password = values.GetValueOrDefault("Password", string.Empty),
        };
        return (EgressProxy.Read(options, name => values.GetValueOrDefault(name), errors), errors);
    }
}
