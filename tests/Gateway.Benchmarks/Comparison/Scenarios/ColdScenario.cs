using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>A question that nobody asked before: list, then all prices at once, merge, answer.</summary>
internal static class ColdScenario
{
    public static Task<ScenarioReport> OneAsync(Rig rig) => RunAsync(rig, "cold-1", "A cold answer, one at a time", connections: 1, latency: 20, components: 12, mostOver: 0.5);

    public static Task<ScenarioReport> SixteenAsync(Rig rig) => RunAsync(rig, "cold-16", "A cold answer, sixteen at a time", connections: 16, latency: 20, components: 12, mostOver: 1);

    public static Task<ScenarioReport> WideAsync(Rig rig) => RunAsync(rig, "wide", "A cold answer of 200 components", connections: 1, latency: 5, components: 200, mostOver: 0);

    private static async Task<ScenarioReport> RunAsync(Rig rig, string name, string title, int connections, int latency, int components, double mostOver)
    {
        var isWide = mostOver == 0;
        var report = new ScenarioReport(
            name,
            title,
            Invariant($"Every request names another product; {components} components; Billing and Paymentwall wait {latency} ms each, so that {2 * latency} ms is the least; {connections} connection{(connections > 1 ? "s" : string.Empty)}; Redis on."));
        await rig.SetAsync(latency, components);

        // The floor has no bound on its calls in flight; at sixteen at once ours must not be what is measured.
        await using var gateway = await rig.StartGatewayAsync(("Paymentwall__MaxConcurrency", "256"));
        await using var floor = await rig.StartAsync("floor", []);
        await Answers.SameAsync(gateway, floor, name + "-checked", components);
        var series = await Rounds.RunAsync(rig, connections,
        [
            new("floor", floor, $"cold?product={name}-{{n}}&country=DE"),
            new("floor, again", floor, $"cold?product={name}-again-{{n}}&country=DE"),
            new("gateway", gateway, $"catalog?product={name}-{{n}}&country=DE"),
        ]);
        var (bare, mine) = (series[0], series[2]);
        LoadTable.Add(report, series, bare, "floor", waited: 2 * latency);
        LoadTable.AddNoise(report, bare, series[1]);
        var over = Statistics.Median(mine.Samples.Zip(bare.Samples, (one, other) => one.P50 - other.P50));
        report.Bars.Add(new Bar("p50, beyond the floor's", over, mostOver, Unit: " ms"));
        if (!isWide)
        {
            report.Bars.Add(new Bar("CPU per request, of the floor's", mine.Ratio(bare, sample => sample.ProcessorMicroseconds), 1.25));
        }

        report.Charts.Add(new Chart(name + "-latency", title + ": p50 beyond the upstreams' own time", Invariant($"ms over {2 * latency} ms; less is better"),
            [.. new[] { bare, mine }.Select(one => new ChartValue(one.Name, Math.Max(0, one.Median(sample => sample.P50) - (2 * latency))))]));
        report.Charts.Add(new Chart(name + "-cpu", title + ": CPU per request", "µs of the server's process; less is better",
            [.. new[] { bare, mine }.Select(one => new ChartValue(one.Name, one.Median(sample => sample.ProcessorMicroseconds)))]));
        return report;
    }
}
