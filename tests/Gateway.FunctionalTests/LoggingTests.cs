using System.Diagnostics;
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

        var lines = gateway.Log.Split('\n').Where(line => line.Contains("\"Cache\"", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(expected, lines.Count);
        var cold = lines[0];
        Assert.Equal(
            ("GET", "/catalog/builtfor_example", 200, "loaded", "complete", "/catalog/{productId}"),
            ((string)cold["RequestMethod"]!, (string)cold["RequestPath"]!, (int)cold["StatusCode"]!, (string)cold["Cache"]!, (string)cold["Completeness"]!, (string)cold["Route"]!));
        Assert.Matches("^[0-9a-f]{32}$", (string?)cold["@tr"]);
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
    public async Task An_outage_is_said_once_and_not_by_every_call_that_fails()
    {
        await using var gateway = await stack.StartGatewayAsync(("Redis:ConnectionString", string.Empty));
        await stack.Simulator.FaultAsync("paymentwall", new { status = 403 });
        foreach (var country in (string[])["FR", "DE", "IT", "ES"])
        {
            await gateway.GetAsync("/catalog/builtfor_example?country=" + country);
        }

        // Three calls in a row make an outage; those that were under way with the third may have been said, too.
        var refused = gateway.Log.Split('\n').Count(line => line.Contains("\"Id\":1201", StringComparison.Ordinal));
        Assert.InRange(refused, 3, 14);
        Assert.Single(gateway.Log.Split('\n'), line => line.Contains("\"Id\":1901", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reader_of_standard_output_that_stalls_holds_up_no_request_and_not_the_end_of_the_process()
    {
        // More than the queue (10,000 lines) and the pipe (64 KiB) hold together.
        const int Requests = 12_000;
        var port = RedisServer.FreePort();
        var start = new ProcessStartInfo("dotnet", [Programs.Gateway]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in GatewayProcess.Environment(stack.Simulator, ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}")))
        {
            start.Environment[key] = value;
        }

        using var gateway = Process.Start(start)!;
        try
        {
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(20) };
            await GatewayProcess.EventuallyAsync(() => AnswersAsync(client), TimeSpan.FromSeconds(30));

            await Parallel.ForEachAsync(
                Enumerable.Range(0, Requests), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken },
                async (_, cancellationToken) => (await client.GetAsync(new Uri("/nothing", UriKind.Relative), cancellationToken)).Dispose());

            Assert.True(await AnswersAsync(client));
            ChildProcess.Signal(gateway.Id, ChildProcess.SigTerm);
            await gateway.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal(0, gateway.ExitCode);
        }
        finally
        {
            gateway.Kill();
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
