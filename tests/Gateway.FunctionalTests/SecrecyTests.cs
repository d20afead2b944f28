using System.Net;
using System.Text;
using Gateway.FunctionalTests.Stack;
using StackExchange.Redis;

namespace Gateway.FunctionalTests;

/// <summary>Neither token, secret, key nor signature in any log line, at the most talkative level, in any answer, or in Redis.</summary>
[Trait("Redis", "any form")]
public sealed class SecrecyTests(GatewayStack stack) : IClassFixture<GatewayStack>
{
    [Fact]
    public async Task Nothing_secret_is_logged_answered_or_kept_readable_whatever_happens()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Serilog:MinimumLevel:Default", "Verbose"),
            ("Serilog:MinimumLevel:Override:Microsoft", "Verbose"),
            ("Serilog:MinimumLevel:Override:System", "Verbose"));
        await gateway.RedisIsUpAsync();
        string[] paths = ["/catalog/builtfor_example", "/catalog/nothing", "/catalog/builtfor_example?country=", "/nothing?key=x", "/swagger/v1/swagger.json", "/health/ready"];
        object[] faults =
        [
            new { status = 500 }, new { status = 401 }, new { drop = true }, new { truncate = true }, new { body = "rubbish" },
            new { status = 302, headers = new { Location = "http://127.0.0.1/" } },
        ];
        foreach (var path in paths)
        {
            await gateway.GetAsync(path);
        }

        foreach (var upstream in new[] { "billing", "paymentwall", "authorization" })
        {
            foreach (var fault in faults)
            {
                await stack.Simulator.FaultAsync(upstream, fault);
                await stack.Simulator.RevokeTokensAsync();
                await gateway.PurgeAsync();
                await gateway.GetAsync(paths[0]);
                await stack.Simulator.ClearFaultsAsync();
            }
        }

        var secrets = await SecretsAsync();
        var keys = await stack.Redis.KeysAsync();
        var redis = await stack.Redis.AskAsync(async (database, _) =>
        {
            var all = new StringBuilder();
            foreach (var key in keys)
            {
                if (await database.KeyTypeAsync(key) == RedisType.String)
                {
                    all.Append(key).Append(Encoding.Latin1.GetString((byte[]?)await database.StringGetAsync(key) ?? []));
                }
            }

            return all.ToString();
        });
        var answers = string.Join('\n', gateway.Answers.Select(answer => string.Join('\n', answer.Headers.Values) + answer.Body));
        Assert.NotEmpty(redis);
        Assert.InRange(secrets.Count, 20, int.MaxValue);
        Assert.Contains("Verbose", gateway.Log, StringComparison.Ordinal);
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, gateway.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, answers, StringComparison.Ordinal);
            Assert.DoesNotContain(secret, redis, StringComparison.Ordinal);
        }
    }

    /// <summary>What the gateway was given, in every spelling it uses, and every token and signature that it sent.</summary>
    private async Task<List<string>> SecretsAsync()
    {
        var secrets = new List<string>
        {
            GatewayProcess.ClientSecret,
            WebUtility.UrlEncode(GatewayProcess.ClientSecret),
            Uri.EscapeDataString(GatewayProcess.ClientSecret),
            GatewayProcess.ProjectKey,
            GatewayProcess.ProjectSecret,
            GatewayProcess.AdminKey,
        };
        foreach (var upstream in new[] { "authorization", "billing", "paymentwall" })
        {
            foreach (var request in await stack.Simulator.ReceivedAsync(upstream))
            {
                if (request.Header("Authorization") is { } credentials)
                {
                    secrets.Add(credentials.Split(' ')[1]);
                    secrets.Add(credentials.Split('.')[^1]);
                }

                if (request.Query("sign") is { } sign)
                {
                    secrets.Add(sign);
                }
            }
        }

        return [.. secrets.Distinct()];
    }
}
