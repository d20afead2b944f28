using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>The real Dockerfile and the real docker-compose.yml, brought up and asked.</summary>
public sealed class ContainerTests(ContainerStack stack) : IClassFixture<ContainerStack>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_catalog_is_answered_through_the_load_balancer_as_the_demo_answers_it()
    {
        var answer = await stack.CompleteAsync("/catalog?product=builtfor_example&country=JP");

        Assert.Equal(14, (int)answer["completeness"]!["components"]!);
        Assert.Equal(12, (int)answer["completeness"]!["priced"]!);
        Assert.Equal("For shops that grow.", (string?)answer["items"]!.AsArray().First(item => (string?)item!["groupId"] == "builtfor_example-pro")!["description"]);
    }

    [Fact]
    public async Task Both_replicas_serve_and_share_one_token_by_redis()
    {
        await stack.CompleteAsync("/catalog?product=reviews_example");
        for (var request = 0; request < 20; request++)
        {
            using var answer = await stack.Client.GetAsync("/catalog?product=reviews_example", Cancelled);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var logs = await Task.WhenAll((await stack.ContainersAsync("gateway")).Select(async id => (await stack.EngineAsync("logs", id)).Output));
        Assert.Equal(2, logs.Length);
        Assert.All(logs, log => Assert.Contains("/catalog", log, StringComparison.Ordinal));
        Assert.Single(logs.SelectMany(log => log.Split('\n')), line => line.Contains("Obtained an access token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_gateway_runs_without_rights_and_cannot_write()
    {
        foreach (var id in await stack.ContainersAsync("gateway"))
        {
            var container = await stack.InspectAsync(id);
            var process = $"/proc/{(int)container["State"]!["Pid"]!}";
            var status = await File.ReadAllLinesAsync(process + "/status", Cancelled);
            Assert.Contains("Uid:\t1654\t1654\t1654\t1654", status);
            Assert.Contains("Gid:\t1654\t1654\t1654\t1654", status);
            Assert.Contains("CapEff:\t0000000000000000", status);
            Assert.Contains("CapBnd:\t0000000000000000", status);
            Assert.Contains("NoNewPrivs:\t1", status);
            Assert.True((bool)container["HostConfig"]!["ReadonlyRootfs"]!);

            // As the kernel has it, where that may be looked at.
            if (string.Equals(Environment.UserName, "root", StringComparison.Ordinal))
            {
                var root = (await File.ReadAllLinesAsync(process + "/mountinfo", Cancelled)).Select(line => line.Split(' ')).Last(mount => mount[4] == "/");
                Assert.StartsWith("ro", root[5], StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task The_health_check_is_the_program_itself()
    {
        foreach (var id in await stack.ContainersAsync("gateway"))
        {
            await GatewayProcess.EventuallyAsync(async () => await HealthAsync(id) == "healthy", TimeSpan.FromSeconds(60));
            Assert.Equal(0, (await stack.EngineAsync("exec", id, "dotnet", "Gateway.dll", "--check-health")).ExitCode);
        }
    }

    [Fact]
    public async Task The_image_says_what_it_is_and_its_configuration_can_be_checked_alone()
    {
        var image = await stack.InspectAsync("gateway");
        Assert.Equal("Aggregation gateway", (string?)image["Config"]!["Labels"]!["org.opencontainers.image.title"]);
        Assert.Equal("1654:1654", (string?)image["Config"]!["User"]);
        Assert.Equal("""["dotnet","Gateway.dll"]""", image["Config"]!["Entrypoint"]!.ToJsonString());
        Assert.Equal(["8080/tcp", "8081/tcp"], image["Config"]!["ExposedPorts"]!.AsObject().Select(port => port.Key).Order(StringComparer.Ordinal));

        var (exitCode, output) = await stack.EngineAsync("run", "--rm", "--read-only", "gateway", "--check-config");

        Assert.Equal(1, exitCode);
        Assert.Contains("AccessTokens:ClientSecret: is required", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_is_a_cache_with_a_password()
    {
        var redis = Assert.Single(await stack.ContainersAsync("redis"));
        Assert.Contains("NOAUTH", (await stack.EngineAsync("exec", "--env", "REDISCLI_AUTH=", redis, "redis-cli", "get", "x")).Output, StringComparison.Ordinal);
        Assert.Equal("maxmemory-policy\nvolatile-lru\n", (await stack.EngineAsync("exec", redis, "redis-cli", "config", "get", "maxmemory-policy")).Output);
        Assert.Equal("appendonly\nno\n", (await stack.EngineAsync("exec", redis, "redis-cli", "config", "get", "appendonly")).Output);
        Assert.Contains("gateway:v2:", (await stack.EngineAsync("exec", redis, "redis-cli", "keys", "*")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_is_told_to_stop_drains_and_no_request_is_lost()
    {
        var leaving = (await stack.ContainersAsync("gateway"))[0];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var load = Enumerable.Range(0, 4).Select(_ => AskAsync()).ToList();

        Assert.Equal(0, (await stack.EngineAsync("kill", "--signal", "TERM", leaving)).ExitCode);

        // Still serving, and no longer ready.
        Assert.Equal(1, (await stack.EngineAsync("exec", leaving, "dotnet", "Gateway.dll", "--check-health")).ExitCode);
        await GatewayProcess.EventuallyAsync(
            async () => !(bool)(await stack.InspectAsync(leaving))["State"]!["Running"]!, TimeSpan.FromSeconds(30));
        await stop.CancelAsync();
        var answers = (await Task.WhenAll(load)).SelectMany(statuses => statuses).ToList();
        Assert.Equal(0, (int)(await stack.InspectAsync(leaving))["State"]!["ExitCode"]!);
        Assert.NotEmpty(answers);
        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(0, (await stack.EngineAsync("start", leaving)).ExitCode);

        async Task<List<HttpStatusCode>> AskAsync()
        {
            var statuses = new List<HttpStatusCode>();
            while (!stop.IsCancellationRequested)
            {
                using var answer = await stack.Client.GetAsync("/catalog?product=builtfor_example", Cancelled);
                statuses.Add(answer.StatusCode);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Cancelled);
            }

            return statuses;
        }
    }

    private async Task<string?> HealthAsync(string id)
    {
        var state = (await stack.InspectAsync(id))["State"]!;
        return (string?)(state["Health"] ?? state["Healthcheck"])!["Status"];
    }
}
