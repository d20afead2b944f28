using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>What <c>./dev bench</c> compares the gateway with does the same work: else its ratios would mean nothing.</summary>
public sealed class BenchmarkSubjectsTests
{
    [Fact]
    public async Task The_barest_program_gives_the_gateways_answer_and_bare_yarp_passes_on_what_the_upstream_says()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        var (upstream, upstreamProcess) = await StartAsync("upstream", "--latency", "1", "--components", "7");
        await using var firstEnd = upstreamProcess;
        var (floor, floorProcess) = await StartAsync("floor", "--upstream", upstream.AbsoluteUri);
        await using var secondEnd = floorProcess;
        var (yarp, yarpProcess) = await StartAsync("yarp", "--upstream", upstream.AbsoluteUri);
        await using var thirdEnd = yarpProcess;
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("Billing:BaseAddress", upstream.AbsoluteUri), ("Paymentwall:BaseAddress", upstream.AbsoluteUri));

        var answer = (await gateway.GetAsync("/catalog?product=some_product&country=DE")).Json;
        var bare = JsonNode.Parse(await GetAsync(floor, "cold?product=some_product&country=DE"));
        var calls = JsonNode.Parse(await GetAsync(upstream, "control"))!;

        Assert.Equal(7, (int)answer["completeness"]!["priced"]!);
        Assert.Equal(answer.ToJsonString(), bare!.ToJsonString());
        Assert.Equal((2, 14), ((int)calls["lists"]!, (int)calls["prices"]!));
        Assert.Equal(await GetAsync(upstream, "v1/anything"), await GetAsync(yarp, "v1/anything"));
    }

    private static async Task<(Uri Address, ChildProcess Process)> StartAsync(string mode, params string[] arguments)
    {
        var port = RedisServer.FreePort().ToString(CultureInfo.InvariantCulture);
        var process = ChildProcess.Start("dotnet", [Programs.Benchmarks, mode, "--port", port, .. arguments], []);
        await process.LineAsync(line => line == "READY");
        return (new Uri($"http://127.0.0.1:{port}/"), process);
    }

    private static async Task<string> GetAsync(Uri server, string path)
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri(server, path), TestContext.Current.CancellationToken);
    }
}
