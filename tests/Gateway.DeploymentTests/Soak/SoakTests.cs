using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests.Soak;

/// <summary><c>./dev soak</c>, and a very short one among the tests, so that the tool stays true.</summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_short_soak_keeps_every_promise()
    {
        var result = await SoakRun.RunAsync(TimeSpan.FromSeconds(15), seed: 1);

        output.WriteLine(SoakReport.Summary(result));
        Assert.True(result.Violations.Count == 0, SoakReport.Summary(result));
        Assert.InRange(result.Answers.Count, 200, int.MaxValue);
        Assert.Contains("live", result.PricesShown.Keys);
        Assert.Contains("stale", result.PricesShown.Keys);
    }

    /// <summary>Minutes by the variable SOAK_MINUTES, the sequence of troubles by SOAK_SEED.</summary>
    [Fact(Explicit = true)]
    public async Task A_long_soak_keeps_every_promise()
    {
        var minutes = double.Parse(System.Environment.GetEnvironmentVariable("SOAK_MINUTES") ?? "30", CultureInfo.InvariantCulture);
        var seed = int.Parse(System.Environment.GetEnvironmentVariable("SOAK_SEED") ?? "1", CultureInfo.InvariantCulture);

        var result = await SoakRun.RunAsync(TimeSpan.FromMinutes(minutes), seed);

        var folder = Path.Combine(Programs.Root, "artifacts", "soak");
        await SoakReport.WriteAsync(result, folder);
        output.WriteLine(SoakReport.Summary(result));
        output.WriteLine("Report: " + Path.Combine(folder, "soak.md"));
        Assert.True(result.Violations.Count == 0, $"{result.Violations.Count} violations; see the report.");
    }
}
