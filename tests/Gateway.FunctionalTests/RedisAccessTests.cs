using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>A Redis with TLS and an ACL: what the gateway shows and accepts, and that the rule of the docs is enough.</summary>
public sealed class RedisAccessTests : IAsyncLifetime
{
    private const string Question = "/catalog?product=builtfor_example&country=FR";

    private RedisSecureProcess _redis = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");
        _redis = await RedisSecureProcess.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_rule_of_the_docs_is_enough_for_two_replicas_to_share_all()
    {
        await using var fleet = await Fleet.StartOnAsync(_redis, 2, ("Security:RateLimits:Proxy:PermitsPerSecond", "0.01"), ("Security:RateLimits:Proxy:Burst", "5"));

        var answers = await fleet.AskAllAsync(20, _ => Question);
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal((1, 1, 1), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));
        await fleet.Replicas[0].PurgeAsync("product=builtfor_example&hard=true");
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await fleet.Replicas[1].GetAsync(Question);
                return await fleet.ComponentCallsAsync() == 2;
            },
            TimeSpan.FromSeconds(2));
        await fleet.Simulator.RevokeTokensAsync();
        await fleet.AskAllAsync(1, _ => "/catalog?product=bulk_000&prices=skip");
        Assert.Equal(2, await fleet.Simulator.TokenRequestsAsync());
        Assert.Equal(5, (await fleet.AskAllAsync(5, _ => "/v1/nothing")).Count(answer => answer.Status == HttpStatusCode.TooManyRequests));

        Assert.All(fleet.Replicas, replica => Assert.DoesNotContain("Redis", string.Join('\n', replica.Log.Split('\n').Where(line => line.Contains("\"@l\"", StringComparison.Ordinal))), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-lpush -subscribe", "LPUSH gateway:x x, SUBSCRIBE gateway:purge")]
    [InlineData("resetkeys ~gateway:v* ~gateway:lease:* ~gateway:purge:* ~gateway:rights", "GET gateway:token:x, SET gateway:token:x 1, GET gateway:limit:x, SET gateway:limit:x 1, SETEX gateway:x 1 x,")]
    [InlineData("resetchannels &other:*", "PUBLISH gateway:purge x, SUBSCRIBE gateway:purge")]
    [InlineData("-eval", null)]
    [InlineData("resetkeys ~other:*", null)]
    public async Task A_narrower_rule_is_said_in_one_line_and_costs_no_answer(string rule, string? forbidden)
    {
        await _redis.AllowAsync(rule.Split(' '));
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, _redis.GatewaySettings);

        await gateway.LogLineAsync(forbidden is null ? "\"Reason\":\"NOPERM\"" : "\"Commands\":\"" + forbidden);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Question)).Status);
        Assert.Equal(forbidden is null ? 0 : 1, gateway.Log.Split("Redis's ACL forbids").Length - 1);
        Assert.InRange(gateway.Log.Split("Redis refuses commands").Length - 1, forbidden is null ? 1 : 0, 1);
    }

    [Theory]
    [InlineData("Redis:CertificateAuthorityFile", "", "TLS")]
    [InlineData("Redis:CertificateAuthorityFile", "other-ca.pem", "TLS")]
    [InlineData("Redis:ConnectionString", ",sslHost=another.example", "TLS")]
    [InlineData("Redis:ClientCertificateFile", "", null)]
    [InlineData("Redis:Password", "another", "AuthenticationFailure")]
    public async Task What_is_not_trusted_is_not_used_and_the_line_at_the_start_says_why(string key, string value, string? reason)
    {
        var settings = _redis.GatewaySettings.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        settings[key] = key == "Redis:ConnectionString" ? _redis.ConnectionString + value : value.EndsWith(".pem", StringComparison.Ordinal) ? _redis.In(value) : value;
        if (key == "Redis:ClientCertificateFile")
        {
            settings["Redis:ClientKeyFile"] = string.Empty;
        }

        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, [.. settings.Select(pair => (pair.Key, pair.Value))]);

        var line = await gateway.LogLineAsync(reason is null ? "Redis is not in use" : $"\"Reason\":\"{reason}\"");
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Question)).Status);
        Assert.Equal("down", (string?)(await gateway.GetAsync("/health/ready")).Json["redis"]);
        Assert.Empty(await _redis.AskAsync(async (database, _) => (string[])(await database.ExecuteAsync("KEYS", "*"))!));
    }

    [Fact]
    public async Task Password_and_certificates_are_changed_without_a_restart()
    {
        var secrets = Directory.CreateDirectory(_redis.In("secrets"));
        var file = Path.Combine(secrets.FullName, "Redis__Password");
        await File.WriteAllTextAsync(file, RedisSecureProcess.Password + "\n", Cancel);
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, [.. _redis.GatewaySettings.Where(setting => setting.Key != "Redis:Password"), ("Hosting:SecretsFolder", secrets.FullName)]);
        await gateway.RedisIsUpAsync();

        // As one does it: both are accepted for a while.
        const string Other = "another = one, too";
        await _redis.AllowAsync(">" + Other);
        await File.WriteAllTextAsync(file, Other, Cancel);
        await gateway.LogLineAsync("\"Name\":\"Reloaded\"");
        await GatewayProcess.EventuallyAsync(
            async () =>
            {
                await gateway.GetAsync($"/catalog?product=bulk_000&prices=skip");
                return gateway.Log.Split("Redis is in use").Length == 3;
            },
            TimeSpan.FromSeconds(15));
        await _redis.AllowAsync("<" + RedisSecureProcess.Password);
        await _redis.AskAsync((database, _) => database.ExecuteAsync("CLIENT", "KILL", "USER", RedisSecureProcess.User));

        await GatewayProcess.EventuallyAsync(async () => await ConnectionsAsync() > 0, TimeSpan.FromSeconds(10));
        await gateway.RedisIsUpAsync();

        // The server gets a certificate of another authority, the gateway's file follows.
        await _redis.ReplaceAuthorityAsync();
        await _redis.AskAsync((database, _) => database.ExecuteAsync("CLIENT", "KILL", "USER", RedisSecureProcess.User));
        await GatewayProcess.EventuallyAsync(async () => await ConnectionsAsync() > 0, TimeSpan.FromSeconds(10));
        await gateway.RedisIsUpAsync();

        Task<int> ConnectionsAsync() => _redis.AskAsync(async (database, _) =>
            ((string)(await database.ExecuteAsync("CLIENT", "LIST"))!).Split("user=" + RedisSecureProcess.User).Length - 1);
    }

    /// <summary>As behind the name of a service whose machine was replaced.</summary>
    [Fact]
    public async Task A_name_that_gets_another_address_is_followed()
    {
        var hosts = _redis.In("hosts");
        await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost redis.test\n", Cancel);
        await using (var probe = ChildProcess.Start("unshare", ["-rm", "mount", "--bind", hosts, "/etc/hosts"], []))
        {
            Assert.SkipUnless(await probe.ExitCodeAsync() == 0, "This machine lets nobody have names of their own.");
        }

        await using var redis = await RedisServerProcess.StartAsync();
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartInAsync(
            GatewayProcess.Environment(simulator, ("Redis:ConnectionString", string.Create(CultureInfo.InvariantCulture, $"redis.test:{redis.Port}"))), hosts: hosts);
        await gateway.RedisIsUpAsync();

        await redis.KillAsync();
        await gateway.LogLineAsync("Redis is not in use");
        await using var moved = await RedisServerProcess.StartAtAsync("127.0.0.3", redis.Port);
        await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost\n127.0.0.3 redis.test\n", Cancel);

        await gateway.RedisIsUpAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Question)).Status);
    }
}
