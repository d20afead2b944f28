using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary><c>--check-config --online</c>: each cause by its exit code, with the key to change and without a secret.</summary>
public sealed class OnlineCheckTests(OnlineCheckTests.Simulator simulated) : IClassFixture<OnlineCheckTests.Simulator>
{
    private const string Sound = "Catalog:Products=builtfor_example";

    private static readonly byte[] WantsCredentials = Encoding.ASCII.GetBytes(
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n");

    [Theory]
    [InlineData(0, "Access token: works.", Sound)]
    [InlineData(0, "Billing: works.", "Catalog:Products=")]
    [InlineData(10, "Access token: failed, the name does not resolve. Change AccessTokens:Authority.", "AccessTokens:Authority=https://nowhere.invalid/")]
    [InlineData(10, "Billing: failed, the name does not resolve. Change Billing:BaseAddress.", "Billing:BaseAddress=https://nowhere.invalid/")]
    [InlineData(11, "Access token: failed, the connection is refused. Change AccessTokens:TokenEndpoint.", "AccessTokens:TokenEndpoint=https://localhost:1/token", "AccessTokens:Authority=https://localhost:1/")]
    [InlineData(11, "Paymentwall: failed, the connection is refused. Change Paymentwall:BaseAddress.", "Paymentwall:BaseAddress=https://localhost:1/")]
    [InlineData(12, "Access token: failed, the certificate is not trusted. Change SSL_CERT_FILE, or AccessTokens:Authority.", "SSL_CERT_FILE=/dev/null")]
    [InlineData(13, "Access token: failed, what answers does not speak TLS. Change AccessTokens:Authority.", "AccessTokens:Authority={control}")]
    [InlineData(14, "Access token: failed, the proxy wants credentials, or others (407). Change Proxy:User and Proxy:Password, or those in HTTPS_PROXY.", "HTTPS_PROXY={proxy}", "AccessTokens:Authority=https://oauth.example.com/")]
    [InlineData(23, "Access token: failed, the proxy refuses the connection. Change Proxy:Address.", "Proxy:Address=http://localhost:1")]
    [InlineData(23, "Access token: failed, the proxy's name does not resolve. Change https_proxy.", "https_proxy=http://nowhere.invalid:3128")]
    [InlineData(24, "Access token: failed, the proxy does not reach it. Change NO_PROXY, or AccessTokens:Authority.", "Proxy:Address={forward}", "AccessTokens:Authority=https://localhost:1/")]
    [InlineData(24, "Access token: failed, the proxy does not let it through. Change the proxy's own rules, or NO_PROXY, or AccessTokens:Authority.", "Proxy:Address={forward}", "AccessTokens:Authority=https://forbidden.example.com/")]
    [InlineData(0, "Access token: works.", "Proxy:Address={forward}", Sound)]
    [InlineData(15, "Access token: failed, there is no discovery document. Change AccessTokens:Authority, or set AccessTokens:TokenEndpoint.", "fault authorization=/.well-known/ 404")]
    [InlineData(16, "Access token: failed, the server refuses the client (invalid_client). Change AccessTokens:ClientId or AccessTokens:ClientSecret.", "AccessTokens:ClientSecret=s3cret-s3cret")]
    [InlineData(17, "Access token: failed, the server refuses scope or audience (invalid_target). Change AccessTokens:Scopes or AccessTokens:Audience.", "AccessTokens:Audience=nobody")]
    [InlineData(17, "Access token: failed, the server refuses scope or audience (invalid_scope). Change AccessTokens:Scopes or AccessTokens:Audience.", "AccessTokens:Scopes=everything")]
    [InlineData(18, "Billing: failed, it refuses the token (401). Change AccessTokens:Audience or AccessTokens:Scopes.", "fault billing=/v1/ 401")]
    [InlineData(18, "Billing: failed, it refuses the token (403). Change AccessTokens:Audience or AccessTokens:Scopes.", "fault billing=/v1/ 403")]
    [InlineData(19, "Billing: failed, it does not know the product nothing. Change Catalog:Products.", "Catalog:Products=nothing")]
    [InlineData(20, "Paymentwall: failed, it refuses the key or the signature (error 1). Change Paymentwall:ProjectKey", "Paymentwall:ProjectKey=another")]
    [InlineData(20, "Paymentwall: failed, it refuses the key or the signature (error ", "Paymentwall:SecretKey=s3cret-s3cret")]
    [InlineData(21, "Paymentwall: failed, it sells none of x-builtfor_example", "Catalog:SkuTemplate=x-{id}")]
    [InlineData(22, "Billing: failed, no usable answer (500). Change Billing:BaseAddress.", "fault billing=/v1/ 500")]
    public async Task Each_cause_has_its_exit_code_and_its_key(int exitCode, string line, params string[] world)
    {
        var simulator = simulated.Process;
        await simulator.ResetAsync();
        await using var proxy = new RawUpstream(async (_, connection) =>
        {
            await connection.WriteAsync(WantsCredentials, TestContext.Current.CancellationToken);
            return false;
        });
        await using var forward = new ForwardProxy();
        var settings = new List<(string, string)> { ("Catalog:Products", "builtfor_example") };
        foreach (var one in world)
        {
            var (key, value) = (one[..one.IndexOf('=', StringComparison.Ordinal)], one[(one.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            if (key.StartsWith("fault ", StringComparison.Ordinal))
            {
                var (match, status) = (value.Split(' ')[0], int.Parse(value.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
                await simulator.FaultAsync(key["fault ".Length..], new { match, status });
            }
            else
            {
                settings.Add((key, value.Replace("{control}", new UriBuilder(simulator.Control) { Scheme = "https" }.Uri.AbsoluteUri, StringComparison.Ordinal)
                    .Replace("{proxy}", proxy.Address, StringComparison.Ordinal)
                    .Replace("{forward}", forward.Address, StringComparison.Ordinal)));
            }
        }

        var (code, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(simulator, [.. settings]), online: true);

        Assert.Contains(line, output, StringComparison.Ordinal);
        Assert.Equal(exitCode, code);
        Assert.DoesNotContain("s3cret", output, StringComparison.Ordinal);
        LeakScanner.AssertNone(output);
    }

    [Fact]
    public async Task The_same_cause_is_in_the_log_and_in_the_health_details()
    {
        await simulated.Process.ResetAsync();
        await using var gateway = await GatewayProcess.StartInAsync(GatewayProcess.Environment(
            simulated.Process, ("AccessTokens:Authority", "https://nowhere.invalid/"), ("HOME", string.Empty)));

        Assert.Equal("tokenUnavailable", (await gateway.GetAsync("/catalog/builtfor_example")).Code);

        await gateway.LogLineAsync("nameNotResolved");
        await gateway.LogLineAsync("HOME is not set");
        var details = (await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json;
        Assert.Equal("nameNotResolved", (string?)details["upstreams"]!["authorization"]!["lastFailureCause"]);
    }

    /// <summary>One for all cases.</summary>
    public sealed class Simulator : IAsyncLifetime
    {
        internal SimulatorProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await SimulatorProcess.StartAsync();

        public ValueTask DisposeAsync() => Process.DisposeAsync();
    }
}
