using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// A very short one among the tests, so that the tool stays true; <c>./dev soak</c> sets SOAK_MINUTES. The sequence of troubles is
/// SOAK_SEED's.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_soak_keeps_every_promise()
    {
        var minutes = System.Environment.GetEnvironmentVariable("SOAK_MINUTES");
        var seed = int.Parse(System.Environment.GetEnvironmentVariable("SOAK_SEED") ?? "1", CultureInfo.InvariantCulture);

        var result = await SoakRun.RunAsync(minutes is null ? Short : TimeSpan.FromMinutes(double.Parse(minutes, CultureInfo.InvariantCulture)), seed);

        output.WriteLine(SoakReport.Summary(result));
        if (minutes is not null)
        {
            var folder = Path.Combine(Programs.Root, "artifacts", "soak");
            await SoakReport.WriteAsync(result, folder);
            output.WriteLine("Report: " + Path.Combine(folder, "soak.md"));
        }

        Assert.True(result.Violations.Count == 0, SoakReport.Summary(result));
        Assert.InRange(result.Answers.Count, 200, int.MaxValue);
        Assert.Contains("live", result.PricesShown.Keys);
        Assert.Contains("stale", result.PricesShown.Keys);
    }
}
