using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>What is written while requests come, and what is not.</summary>
public sealed class LoggingTests(GatewayStack stack) : IClassFixture<GatewayStack>, IAsyncLifetime
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    public async ValueTask InitializeAsync() => await stack.ResetAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("0", 1)]
    [InlineData("1", 6)]
    public async Task A_request_is_one_line_and_ready_answers_are_sampled(string sampling, int expected)
    {
        await using var gateway = await stack.StartGatewayAsync(("Hosting:WarmRequestLogSampling", sampling), ("Redis:ConnectionString", string.Empty));
        var etag = (await gateway.GetAsync(Catalog)).Header("ETag")!;
        for (var n = 0; n < 4; n++)
        {
            await gateway.GetAsync(Catalog);
        }

        Assert.Equal(HttpStatusCode.NotModified, (await gateway.GetAsync(Catalog, ("If-None-Match", etag))).Status);
        await gateway.GetAsync("/nothing");
        await gateway.LogLineAsync("/nothing");

        var lines = gateway.Log.Split('\n').Where(line => line.Contains("\"Id\":5002", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(expected, lines.Count);
        var cold = lines[0]["Properties"]!;
        Assert.Equal(
            ("GET", "/catalog/builtfor_example", 200, "loaded", "complete", "/catalog/{productId}"),
            ((string)cold["Method"]!, (string)cold["Path"]!, (int)cold["StatusCode"]!, (string)cold["Cache"]!, (string)cold["Completeness"]!, (string)cold["Route"]!));
        Assert.Matches("^[0-9a-f]{32}$", (string?)lines[0]["TraceId"]);
    }

    [Fact]
    public async Task A_level_changes_without_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-levels-").FullName;
        try
        {
            var level = Path.Combine(folder, "Serilog__MinimumLevel__Default");
            await File.WriteAllTextAsync(level, "Error", TestContext.Current.CancellationToken);
            await using var gateway = await stack.StartGatewayAsync(("Hosting:SecretsFolder", folder));
            await gateway.GetAsync("/before");
            await File.WriteAllTextAsync(level, "Information", TestContext.Current.CancellationToken);
            await GatewayProcess.EventuallyAsync(
                async () =>
                {
                    await gateway.GetAsync("/after");
                    return gateway.Log.Contains("/after", StringComparison.Ordinal);
                },
                TimeSpan.FromSeconds(20));

            Assert.DoesNotContain("/before", gateway.Log, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_burst_of_one_failure_is_summed_up()
    {
        await using var gateway = await stack.StartGatewayAsync(("Redis:ConnectionString", string.Empty));
        await stack.Simulator.FaultAsync("paymentwall", new { status = 403 });
        await Task.WhenAll(new[] { "FR", "DE", "IT", "ES" }.Select(country => gateway.GetAsync("/catalog/builtfor_example?country=" + country)));
        var summary = await gateway.LogLineAsync("more lines like this within");

        var refused = gateway.Log.Split('\n').Count(line => line.Contains("\"Id\":1201", StringComparison.Ordinal));
        var counted = (int)JsonNode.Parse(summary)!["Properties"]!["Count"]!;
        Assert.Equal(5, refused);
        Assert.InRange(counted, 4 * 10, 4 * 14);
        Assert.Contains("Paymentwall answered 403", summary, StringComparison.Ordinal);
    }
}
