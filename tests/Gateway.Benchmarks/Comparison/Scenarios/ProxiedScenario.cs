using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>A call that is only forwarded, with a token attached.</summary>
internal static class ProxiedScenario
{
    private const int Connections = 64;
    private const string Path = "v1/products/some_product/components/some_component";

    public static async Task<ScenarioReport> RunAsync(Rig rig)
    {
        var report = new ScenarioReport(
            "proxied",
            "A forwarded call",
            Invariant($"A GET that Billing answers at once with 47 bytes, {Connections} connections. All attach a token; the gateway has rate limits, CORS, Redis and its default logging (a line a call) on."));
        await rig.SetAsync(0, 12);
        await using var gateway = await rig.StartGatewayAsync();
        await using var yarp = await rig.StartAsync("yarp", []);
        await using var nginx = await FrontServers.ForwardingNginxAsync(rig);
        await using var haproxy = await FrontServers.ForwardingHaproxyAsync(rig);
        var (_, body) = await rig.Upstream.GetAsync(Path);
        List<LoadTarget> targets =
        [
            new("YARP", yarp, Path),
            new("YARP, again", yarp, Path),
            new("gateway", gateway, "billing/" + Path),
            new("direct", rig.Upstream, Path),
        ];
        foreach (var (name, subject) in new[] { ("nginx", nginx), ("haproxy", haproxy) })
        {
            if (subject is null)
            {
                report.Notes.Add($"Not installed: {name}.");
                continue;
            }

            targets.Add(new LoadTarget(name, subject, Path));
        }

        foreach (var target in targets)
        {
            await target.Subject.AnsweredAsync(target.Path);
            await Answers.IsAsync(target.Subject, target.Path, body);
        }

        var series = await Rounds.RunAsync(rig, Connections, targets);
        var (bare, mine) = (series[0], series[2]);
        LoadTable.Add(report, series, bare, "YARP");
        LoadTable.AddNoise(report, bare, series[1]);
        report.Bars.Add(new Bar("requests/s, of bare YARP's", mine.Ratio(bare, sample => sample.RequestsPerSecond), 0.95, AtLeast: true));
        report.Bars.Add(new Bar("CPU per request, of bare YARP's", mine.Ratio(bare, sample => sample.ProcessorMicroseconds), 1.05));
        report.Charts.Add(new Chart("proxied-throughput", "A forwarded call: requests per second", "64 connections; more is better",
            [.. series.Where(one => one.Name != "YARP, again").Select(one => new ChartValue(one.Name, one.Median(sample => sample.RequestsPerSecond)))]));
        return report;
    }
}
