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

    [Fact]
    public async Task Catalog_works_with_a_token_of_a_certified_provider()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Folder, "node_modules", "oidc-provider")), "oidc-provider is not installed: ./dev test does it where there is npm.");
        using var authority = CertificateAuthority.Create();
        using var key = RSA.Create(2048);
        var files = Directory.CreateTempSubdirectory("gateway-oidc-");
        var jwksFile = Path.Combine(files.FullName, "jwks.json");
        var certificates = Path.Combine(files.FullName, "ca.pem");
        await File.WriteAllTextAsync(jwksFile, JsonSerializer.Serialize(new { keys = new[] { Jwk(key, withPrivate: false) } }), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(certificates, authority.ExportPem(), TestContext.Current.CancellationToken);

        var port = RedisServer.FreePort();
        var issuer = $"https://localhost:{port}";
        await using var provider = StartProvider(authority, key, port);
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

        Assert.True(answer.Status == HttpStatusCode.OK, provider.Output + gateway.Log);
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

    private static ChildProcess StartProvider(CertificateAuthority authority, RSA key, int port)
    {
        var (certificate, privateKey) = authority.IssueServerCertificatePem("localhost", "127.0.0.1");
        var settings = JsonSerializer.Serialize(new
        {
            port,
            certificate,
            privateKey,
            jwks = new { keys = new[] { Jwk(key, withPrivate: true) } },
            clientId = ClientId,
            clientSecret = ClientSecret,
            audience = "distribution.prestashop.net",
        });
        return ChildProcess.Start("node", ["server.mjs", settings], [], Folder);
    }

    private static Dictionary<string, string> Jwk(RSA key, bool withPrivate)
    {
        var parameters = key.ExportParameters(includePrivateParameters: true);
        var jwk = new Dictionary<string, string> { ["kty"] = "RSA", ["kid"] = "test", ["use"] = "sig", ["alg"] = "RS256", ["n"] = Text(parameters.Modulus), ["e"] = Text(parameters.Exponent) };
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
