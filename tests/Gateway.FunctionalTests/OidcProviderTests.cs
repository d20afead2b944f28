using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.FunctionalTests.Stack;
using Gateway.Simulator;

namespace Gateway.FunctionalTests;

/// <summary>The token code against a certified OpenID provider, which nobody here wrote.</summary>
public sealed class OidcProviderTests
{
    private const string ClientId = "shop:client/1 + more & co";
    private const string ClientSecret = "s3cret: with / a + b & c, and a space";

    private static readonly string Folder = Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", "OidcProvider");

    [Theory]
    [InlineData("oidc-provider", "", "jwt", 1)]
    [InlineData("oidc-provider", "/realms/shop", "jwt", 2)]
    [InlineData("oidc-provider", "", "opaque", 1)]
    [InlineData("oidc-provider-9", "", "jwt", 2)]
    [InlineData("oidc-provider-9", "/realms/shop", "opaque", 1)]
    public async Task Catalog_works_with_a_token_of_a_certified_provider(string module, string path, string format, int keys)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", module)), "oidc-provider is not installed: ./dev test does it where there is npm.");
        using var authority = CertificateAuthority.Create();
        var signing = Enumerable.Range(0, keys).Select(_ => RSA.Create(2048)).ToList();
        var files = Directory.CreateTempSubdirectory("gateway-oidc-");
        var jwksFile = Path.Combine(files.FullName, "jwks.json");
        var certificates = Path.Combine(files.FullName, "ca.pem");
        await File.WriteAllTextAsync(jwksFile, JsonSerializer.Serialize(new { keys = Jwks(signing, withPrivate: false) }), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(certificates, authority.ExportPem(), TestContext.Current.CancellationToken);

        var port = RedisServer.FreePort();
        var issuer = $"https://localhost:{port}{path}";
        await using var provider = StartProvider(authority, signing, module, port, path, format);
        await provider.LineAsync(line => line == "READY");
        await using var simulator = await SimulatorProcess.StartAsync($"--Simulator:ExternalIssuer={issuer}", $"--Simulator:ExternalJwksFile={jwksFile}");
        await using var gateway = await GatewayProcess.StartAsync(
            simulator,
            ("SSL_CERT_FILE", certificates),
            ("AccessTokens:Authority", issuer),
            ("AccessTokens:ClientId", ClientId),
            ("AccessTokens:ClientSecret", ClientSecret),
            ("AccessTokens:Scopes", "openid billing.read"));

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        // An opaque token is used as any other; the simulator's Billing takes only JWTs.
        Assert.True(format == "opaque" ? answer.Code == "upstreamRejected" : answer.Status == HttpStatusCode.OK, answer.Body + provider.Output + gateway.Log);
        Assert.All(await simulator.ReceivedAsync("billing"), call => Assert.Equal(format == "jwt" ? 3 : 1, call.Header("Authorization")!.Split('.').Length));
        Assert.NotEmpty(await simulator.ReceivedAsync("billing"));
        Assert.Equal(0, await simulator.TokenRequestsAsync());

        await using var wrong = await GatewayProcess.StartAsync(
            simulator,
            ("SSL_CERT_FILE", certificates),
            ("AccessTokens:Authority", issuer),
            ("AccessTokens:ClientId", ClientId),
            ("AccessTokens:ClientSecret", ClientSecret + "!"));
        Assert.Equal("tokenUnavailable", (await wrong.GetAsync("/catalog/builtfor_example")).Code);
        files.Delete(recursive: true);
    }

    private static ChildProcess StartProvider(CertificateAuthority authority, IReadOnlyList<RSA> signing, string module, int port, string path, string format)
    {
        var (certificate, privateKey) = authority.IssueServerCertificatePem("localhost", "127.0.0.1");
        var settings = JsonSerializer.Serialize(new
        {
            module,
            port,
            path,
            format,
            certificate,
            privateKey,
            jwks = new { keys = Jwks(signing, withPrivate: true) },
            clientId = ClientId,
            clientSecret = ClientSecret,
            audience = "distribution.prestashop.net",
        });
        return ChildProcess.Start("node", ["server.mjs", settings], [], Folder);
    }

    private static IEnumerable<Dictionary<string, string>> Jwks(IReadOnlyList<RSA> signing, bool withPrivate) => signing.Select((key, number) => Jwk(key, $"key-{number}", withPrivate));

    private static Dictionary<string, string> Jwk(RSA key, string id, bool withPrivate)
    {
        var parameters = key.ExportParameters(includePrivateParameters: true);
        var jwk = new Dictionary<string, string> { ["kty"] = "RSA", ["kid"] = id, ["use"] = "sig", ["alg"] = "RS256", ["n"] = Text(parameters.Modulus), ["e"] = Text(parameters.Exponent) };
        if (withPrivate)
        {
            jwk["d"] = Text(parameters.D);
            jwk["p"] = Text(parameters.P);
            jwk["q"] = Text(parameters.Q);
            jwk["dp"] = Text(parameters.DP);
            jwk["dq"] = Text(parameters.DQ);
            jwk["qi"] = Text(parameters.InverseQ);
        }

        return jwk;

        static string Text(byte[]? bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
    }
}
