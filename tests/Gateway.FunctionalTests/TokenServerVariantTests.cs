using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>
/// Token servers that conform to RFC 6749 and are not like each other, end to end: a catalog with prices needs a token that Billing takes. Spellings beyond
/// these are in <c>MsalTokenEndpointTests</c>.
/// </summary>
public sealed class TokenServerVariantTests(TokenServerVariantTests.Simulators simulators) : IClassFixture<TokenServerVariantTests.Simulators>
{
    private const string Elsewhere = """{"issuer":"https://elsewhere.example/","authorization_endpoint":"https://elsewhere.example/a","token_endpoint":"TOKEN"}""";

    [Theory]
    [InlineData("plain", "{}")]
    [InlineData("expires_in with a fraction", """{"expires_in":3599.7}""")]
    [InlineData("expires_in as text", """{"expires_in":"3600"}""")]
    [InlineData("expires_in absent", """{"expires_in":null}""")]
    [InlineData("expires_in negative", """{"expires_in":-1}""")]
    [InlineData("expires_in huge", """{"expires_in":99999999999}""")]
    [InlineData("token_type absent", """{"token_type":null}""")]
    [InlineData("token_type in capitals", """{"token_type":"BEARER"}""")]
    [InlineData("scope as an array", """{"scope":["openid"]}""")]
    [InlineData("scope absent", """{"scope":null}""")]
    [InlineData("an id_token that is none", """{"id_token":"not-a-jwt"}""")]
    [InlineData("a refresh token and members of its own", """{"refresh_token":"r","ext":{"a":[1,null]},"client_info":"%"}""")]
    [InlineData("as text/plain", "{}", """{"match":"/oauth2/token","contentType":"text/plain"}""")]
    [InlineData("no discovery document", "{}", """{"match":"/.well-known/openid-configuration","status":404}""", false)]
    [InlineData("a discovery document that is HTML", "{}", """{"match":"/.well-known/openid-configuration","status":200,"body":"<html>","contentType":"text/html"}""", false)]
    [InlineData("a discovery document of another issuer", "{}", """{"match":"/.well-known/openid-configuration","status":200,"body":"ELSEWHERE","contentType":"application/json"}""")]
    public async Task A_token_of_any_conforming_server_is_used(string variant, string patch, string? fault = null, bool isDiscovered = true)
    {
        var simulator = simulators.Sound;
        await simulator.ResetAsync();
        await simulator.TokenSettingsAsync(new { patch = JsonNode.Parse(patch) });
        if (fault is not null)
        {
            var json = JsonNode.Parse(fault)!;
            if ((string?)json["body"] == "ELSEWHERE")
            {
                json["body"] = Elsewhere.Replace("TOKEN", new Uri(simulator.Authority, "oauth2/token").AbsoluteUri, StringComparison.Ordinal);
            }

            await simulator.FaultAsync("authorization", json);
        }

        var environment = GatewayProcess.Environment(simulator);
        if (!isDiscovered)
        {
            environment.Remove("AccessTokens:Authority");
            environment["AccessTokens:TokenEndpoint"] = new Uri(simulator.Authority, "oauth2/token").AbsoluteUri;
        }

        await using var gateway = await GatewayProcess.StartInAsync(environment);

        var answer = await gateway.GetAsync("/catalog/builtfor_example");

        Assert.True(answer.Status == HttpStatusCode.OK, $"{variant}: {answer.Body}\n{gateway.Log}");
        Assert.True((bool)answer.Json["completeness"]!["complete"]!);
        Assert.Equal(1, await simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task An_expired_certificate_is_named()
    {
        var (code, output) = await GatewayProcess.CheckConfigurationAsync(
            GatewayProcess.Environment(simulators.Expired, ("Catalog:Products", "builtfor_example")), online: true);

        Assert.Contains("Access token: failed, the certificate is not trusted.", output, StringComparison.Ordinal);
        Assert.Equal(12, code);
    }

    /// <summary>One for all variants, and one whose certificates have expired.</summary>
    public sealed class Simulators : IAsyncLifetime
    {
        internal SimulatorProcess Sound { get; private set; } = null!;

        internal SimulatorProcess Expired { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Sound = await SimulatorProcess.StartAsync();
            Expired = await SimulatorProcess.StartAsync("--Simulator:CertificatesExpired=true");
        }

        public async ValueTask DisposeAsync()
        {
            await Sound.DisposeAsync();
            await Expired.DisposeAsync();
        }
    }
}
