using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Who may call: keys, their roles, their rotation, and secrets that come from files.</summary>
public sealed class ApiKeyTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Purge = "/admin/cache/purge?all=true";
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    /// <summary>Changes of files are looked for every 4 s.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-secrets-").FullName;

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_missing_a_wrong_and_an_expired_key_get_the_same_401_that_names_the_header()
    {
        await using var gateway = await stack.StartGatewayAsync(
            ("Security:ApiKeys:2:Name", "former"), ("Security:ApiKeys:2:Sha256", Sha256("old-key")), ("Security:ApiKeys:2:Roles", "admin"),
            ("Security:ApiKeys:2:ExpiresAt", "2026-01-01T00:00:00Z"),
            ("Security:ApiKeys:3:Name", "current"), ("Security:ApiKeys:3:Sha256", Sha256("new-key")), ("Security:ApiKeys:3:Roles", "admin"),
            ("Security:ApiKeys:3:ExpiresAt", "2099-01-01T00:00:00+02:00"));

        Answer[] refused =
        [
            await gateway.SendAsync(HttpMethod.Post, Purge),
            await gateway.SendAsync(HttpMethod.Post, Purge, ("X-Api-Key", "rubbish")),
            await gateway.SendAsync(HttpMethod.Post, Purge, ("X-Api-Key", "old-key")),
        ];

        Assert.All(refused, answer =>
        {
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.Equal("unauthenticated", answer.Code);
            Assert.Contains("X-Api-Key", (string?)answer.Json["detail"], StringComparison.Ordinal);
            Assert.Contains("X-Api-Key", answer.Header("WWW-Authenticate"), StringComparison.Ordinal);
        });
        Assert.Single(refused.Select(answer => (string?)answer.Json["detail"]).Distinct());
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync(HttpMethod.Post, Purge, ("X-Api-Key", "new-key"))).Status);
    }

    [Fact]
    public async Task Keys_rotate_without_a_restart()
    {
        Write("Security__ApiKeys__2__Name", "shop");
        Write("Security__ApiKeys__2__Sha256", Sha256("first-key"));
        Write("Security__ApiKeys__2__Roles", "admin");
        await using var gateway = await stack.StartGatewayAsync(("Hosting:SecretsFolder", _folder));
        Assert.Equal(HttpStatusCode.Accepted, await PurgeAsync(gateway, "first-key"));

        // The new key beside the old one, under the same name; then the old one goes.
        Write("Security__ApiKeys__3__Name", "shop");
        Write("Security__ApiKeys__3__Sha256", Sha256("second-key"));
        Write("Security__ApiKeys__3__Roles", "admin");
        await GatewayProcess.EventuallyAsync(async () => await PurgeAsync(gateway, "second-key") == HttpStatusCode.Accepted, Noticed);
        Assert.Equal(HttpStatusCode.Accepted, await PurgeAsync(gateway, "first-key"));

        Write("Security__ApiKeys__2__Sha256", Sha256("nobody-has-this-key"));
        await GatewayProcess.EventuallyAsync(async () => await PurgeAsync(gateway, "first-key") == HttpStatusCode.Unauthorized, Noticed);
        Assert.Equal(HttpStatusCode.Accepted, await PurgeAsync(gateway, "second-key"));
    }

    [Fact]
    public async Task A_key_that_the_root_script_made_works_with_the_lines_that_it_printed()
    {
        await using var script = ChildProcess.Start("bash", [Path.Combine(Programs.Root, "dev"), "key", "back office", "admin"], []);
        Assert.Equal(0, await script.ExitCodeAsync());
        var lines = script.Output.Split('\n').Select(line => line.Trim()).ToList();
        var settings = lines.Where(line => line.StartsWith("Security__ApiKeys__N__", StringComparison.Ordinal))
            .Select(line => line.Split('=', 2)).Select(pair => (pair[0].Replace("__N__", ":2:", StringComparison.Ordinal).Replace("__", ":", StringComparison.Ordinal), pair[1]));
        await using var gateway = await stack.StartGatewayAsync([.. settings]);

        Assert.Equal(HttpStatusCode.Accepted, await PurgeAsync(gateway, lines.Single(line => line.StartsWith("gw_", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_change_that_is_not_sound_is_refused_and_what_was_stays()
    {
        Write("Security__ApiKeys__2__Name", "shop");
        Write("Security__ApiKeys__2__Sha256", Sha256("first-key"));
        Write("Security__ApiKeys__2__Roles", "admin");
        await using var gateway = await stack.StartGatewayAsync(("Hosting:SecretsFolder", _folder));

        Write("Security__ApiKeys__2__Sha256", "the-key-itself-by-mistake");
        var line = await gateway.LogLineAsync("is refused, the one before stays in use");

        Assert.Contains("Security:ApiKeys:2:Sha256", line, StringComparison.Ordinal);
        Assert.DoesNotContain("by-mistake", line, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Accepted, await PurgeAsync(gateway, "first-key"));
    }

    [Fact]
    public async Task Secrets_come_from_files_and_follow_them()
    {
        Write("AccessTokens__ClientSecret", GatewayProcess.ClientSecret + "\n");
        Write("Paymentwall__SecretKey", "wrong");
        var environment = GatewayProcess.Environment(
            stack.Simulator, ("Hosting:SecretsFolder", _folder), ("Redis:ConnectionString", stack.Redis.ConnectionString), ("Redis:KeyPrefix", "files"));
        environment.Remove("AccessTokens__ClientSecret");
        environment.Remove("Paymentwall__SecretKey");
        await using var gateway = await GatewayProcess.StartInAsync(environment);

        var before = await gateway.GetAsync(Catalog);
        Assert.Equal("rejected", (string?)before.Items[0]!["price"]!["reason"]);

        Write("Paymentwall__SecretKey", GatewayProcess.ProjectSecret);
        await gateway.LogLineAsync("\"Section\":\"Paymentwall\",\"EventId\":{\"Id\":5111");
        await gateway.PurgeAsync();

        Assert.Equal("live", (string?)(await gateway.GetAsync(Catalog)).Component("builtfor_example-pro-EUR-monthly")["price"]!["status"]);
    }

    [Fact]
    public async Task A_client_secret_that_changed_is_used_for_the_next_token()
    {
        Write("AccessTokens__ClientSecret", "not-any-more");
        var environment = GatewayProcess.Environment(stack.Simulator, ("Hosting:SecretsFolder", _folder));
        environment.Remove("AccessTokens__ClientSecret");
        await using var gateway = await GatewayProcess.StartInAsync(environment);
        Assert.Equal("tokenUnavailable", (await gateway.GetAsync(Catalog)).Code);

        Write("AccessTokens__ClientSecret", GatewayProcess.ClientSecret);

        await GatewayProcess.EventuallyAsync(async () => (await gateway.GetAsync(Catalog)).Status == HttpStatusCode.OK, Noticed + TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Administration_and_writes_leave_one_line_each_that_says_who_what_and_what_came_of_it()
    {
        await stack.Gateway.SendAsync(HttpMethod.Post, Purge + "&audit=secret-in-a-query", ("X-Api-Key", "wrong"));
        await stack.Gateway.SendAsync(HttpMethod.Post, Purge, ("X-Api-Key", GatewayProcess.AdminKey));
        await stack.Gateway.SendAsync(HttpMethod.Put, "/billing/v1/subscriptions/audited/items/y/quantity", ("X-Api-Key", GatewayProcess.ProxyKey));
        await stack.Gateway.SendAsync(HttpMethod.Get, "/billing/v1/subscriptions/not-audited", ("X-Api-Key", GatewayProcess.ProxyKey));
        await stack.Gateway.LogLineAsync("subscriptions/not-audited");

        var lines = stack.Gateway.Log.Split('\n').Where(line => line.Contains("Gateway.Audit", StringComparison.Ordinal))
            .Select(line => JsonNode.Parse(line)!)
            .Select(line => $"{line["Client"]} {line["Address"]} {line["Method"]} {line["Path"]} {line["StatusCode"]}").ToList();
        Assert.Contains("nobody 127.0.0.1 POST /admin/cache/purge 401", lines);
        Assert.Contains("operator 127.0.0.1 POST /admin/cache/purge 202", lines);
        Assert.Contains(lines, line => line.StartsWith("backend 127.0.0.1 PUT /billing/v1/subscriptions/audited/items/y/quantity ", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("not-audited", StringComparison.Ordinal));
        Assert.DoesNotContain("secret-in-a-query", stack.Gateway.Log, StringComparison.Ordinal);
    }

    private static string Sha256(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static async Task<HttpStatusCode> PurgeAsync(GatewayProcess gateway, string key) =>
        (await gateway.SendAsync(HttpMethod.Post, Purge, ("X-Api-Key", key))).Status;

    private void Write(string name, string value) => File.WriteAllText(Path.Combine(_folder, name), value);
}
