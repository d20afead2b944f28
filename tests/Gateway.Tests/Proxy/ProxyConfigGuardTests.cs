using System.Security.Authentication;
using Gateway.AccessTokens;
using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Tests.Proxy;

public sealed class ProxyConfigGuardTests
{
    private const string Certificates = "ReverseProxy:Clusters:c:HttpClient:DangerousAcceptAnyServerCertificate: certificates are always validated";

    private readonly ProxyConfigGuard _guard = new(
        Fixed.Options(new BillingOptions { BaseAddress = new Uri("https://billing.example/") }),
        Fixed.Options(new PaymentwallOptions()),
        Fixed.Options(new AccessTokensOptions()));

    public static TheoryData<string> Names => [.. Refused.Keys, .. Allowed.Keys];

    private static Dictionary<string, (ClusterConfig Cluster, string Says)> Refused { get; } = new(StringComparer.Ordinal)
    {
        ["old TLS"] = (Cluster(new() { SslProtocols = SslProtocols.Tls12 | (SslProtocols)768 }), "HttpClient:SslProtocols"),
        ["a proxy"] = (Cluster(new() { WebProxy = new() { Address = new Uri("http://elsewhere.example/") } }), "HttpClient:WebProxy"),
        ["an encoding"] = (Cluster(new() { ResponseHeaderEncoding = "latin1" }), "HttpClient: "),
        ["affinity"] = (Cluster() with { SessionAffinity = new() { Enabled = true, AffinityKeyName = "k" } }, "SessionAffinity"),
        ["another host"] = (Cluster(host: "elsewhere.example"), "Destinations:d:Host"),
    };

    private static Dictionary<string, ClusterConfig> Allowed { get; } = new(StringComparer.Ordinal)
    {
        ["nothing"] = Cluster(),
        ["new TLS"] = Cluster(new() { SslProtocols = SslProtocols.Tls13, MaxConnectionsPerServer = 9, EnableMultipleHttp2Connections = true, DangerousAcceptAnyServerCertificate = false }),
        ["a request's settings"] = Cluster() with { HttpRequest = new() { ActivityTimeout = TimeSpan.FromSeconds(9), AllowResponseBuffering = false }, LoadBalancingPolicy = "Random" },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_cluster_that_carries_credentials_says_only_what_is_listed(string name)
    {
        if (Refused.TryGetValue(name, out var refused))
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ConfigureAsync(Route(), refused.Cluster));
            Assert.Contains("ReverseProxy:Clusters:c:" + refused.Says, error.Message, StringComparison.Ordinal);

            // Without credentials it is the operator's own affair.
            await ConfigureAsync(Route() with { Transforms = null }, refused.Cluster);
        }
        else
        {
            await ConfigureAsync(Route(), Allowed[name]);
        }
    }

    [Fact]
    public async Task No_cluster_may_accept_any_certificate()
    {
        var cluster = Cluster(new() { DangerousAcceptAnyServerCertificate = true });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ConfigureAsync(Route() with { Transforms = null }, cluster));

        Assert.Contains(Certificates, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RequestHeaderOriginalHost", "true", false)]
    [InlineData("RequestHeadersCopy", "true", false)]
    [InlineData("HttpMethodChange", "GET", false)]
    [InlineData("RequestHeader", "host", false)]
    [InlineData("RequestHeader", "Authorization", false)]
    [InlineData("RequestHeader", "X-Partner", true)]
    [InlineData("QueryValueParameter", "page", true)]
    public async Task A_route_that_attaches_credentials_uses_only_transforms_that_are_listed(string transform, string value, bool allowed)
    {
        var route = Route();
        route = route with { Transforms = [.. route.Transforms!, new Dictionary<string, string>(StringComparer.Ordinal) { [transform] = value, ["Set"] = "x" }] };

        var error = await Record.ExceptionAsync(() => ConfigureAsync(route, Cluster()));

        Assert.Equal(allowed, error is null);
        if (error is not null)
        {
            Assert.Contains($"ReverseProxy:Routes:r:Transforms", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_open_route_that_attaches_credentials_allows_no_upgrade()
    {
        var route = Route() with
        {
            AuthorizationPolicy = "anonymous",
            Match = new() { Methods = ["GET"] },
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { [CredentialRoute.AllowUpgrade] = "true" },
        };

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ConfigureAsync(route, Cluster()));

        Assert.Contains("Metadata:AllowUpgrade", error.Message, StringComparison.Ordinal);
        await ConfigureAsync(route with { Metadata = null }, Cluster());
    }

    private static RouteConfig Route() => new()
    {
        RouteId = "r",
        ClusterId = "c",
        AuthorizationPolicy = "proxy",
        Match = new RouteMatch(),
        Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { [CredentialRoute.AccessToken] = "true" }],
    };

    private static ClusterConfig Cluster(HttpClientConfig? client = null, string? host = null) => new()
    {
        ClusterId = "c",
        HttpClient = client,
        Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal) { ["d"] = new() { Address = "https://billing.example/", Host = host } },
    };

    private async Task ConfigureAsync(RouteConfig route, ClusterConfig cluster) => await _guard.ConfigureRouteAsync(
        route, await _guard.ConfigureClusterAsync(cluster, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
}
