using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>From the start of the process to its first answer, and the memory that it then has.</summary>
internal static class StartScenario
{
    private const string Question = "catalog?product=start_product&country=DE";
    private const string Forwarded = "v1/products/some_product/components/some_component";

    public static async Task<ScenarioReport> RunAsync(Rig rig)
    {
        var minute = 12 * rig.Options.Seconds;
        var report = new ScenarioReport(
            "start",
            "Start and memory",
            Invariant($"From the start of `dotnet PROGRAM.dll` to the first 200; asked every 2 ms. Upstreams at 0 ms, Redis up and without a token. Compiled ahead of time (ReadyToRun) as in the image, the others also as they come from a plain build. Then resident after 1,000 requests and after {minute} s of warm load over 64 connections."));
        await rig.SetAsync(0, 12);
        var plain = typeof(StartScenario).Assembly.Location;
        Kind[] kinds =
        [
            new("YARP", "", Forwarded, () => rig.Begin("yarp", [], rig.Options.Subjects)),
            new("YARP, plain build", "", Forwarded, () => rig.Begin("yarp", [], plain)),
            new("floor", "warm", "warm", () => rig.Begin("floor", [], rig.Options.Subjects)),
            new("floor, plain build", "warm", "warm", () => rig.Begin("floor", [], plain)),
            new("gateway", "health/ready", Question, () => rig.BeginGateway()),
        ];
        foreach (var kind in kinds)
        {
            // Once for the page cache.
            await OnceAsync(rig, kind, minute: 0);
        }

        for (var round = 1; round <= rig.Options.Rounds; round++)
        {
            foreach (var kind in kinds)
            {
                await OnceAsync(rig, kind, round == rig.Options.Rounds ? minute : 0);
                Progress.Say($"  {round}/{rig.Options.Rounds} {kind.Name}: ready {kind.Ready[^1]:0} ms, first answer {kind.Answered[^1]:0} ms, {kind.Resident[^1]:0} MiB, after 1,000 requests {kind.Later[^1]:0} MiB");
            }
        }

        foreach (var kind in kinds)
        {
            foreach (var list in new[] { kind.Ready, kind.Answered, kind.Resident, kind.Later })
            {
                list.RemoveAt(0);
            }
        }

        report.Tables.Add(new Table(
            ["subject", "ready, ms", "first answer, ms", "MiB then", "MiB after 1,000 requests", Invariant($"MiB after {minute} s of load")],
            [.. kinds.Select(kind => (IReadOnlyList<string>)[
                kind.Name, Span(kind.Ready), Span(kind.Answered), Span(kind.Resident), Span(kind.Later), Invariant($"{kind.AfterMinute:0}")])]));
        var (yarp, plainYarp, gateway) = (kinds[0], kinds[1], kinds[^1]);
        Against(yarp, "bare YARP's");
        Against(plainYarp, "bare YARP's, plain build");
        report.Bars.Add(new Bar("resident after 1,000 requests", Statistics.Median(gateway.Later), 110, Unit: " MiB"));
        report.Bars.Add(new Bar(Invariant($"resident after {minute} s of warm load"), gateway.AfterMinute, 160, Unit: " MiB"));
        report.Charts.Add(new Chart("start", "From the start of the process to the first answer", "ms; less is better",
        [
            .. kinds[..^1].Select(kind => new ChartValue(kind.Name, Statistics.Median(kind.Answered))),
            new("gateway, ready", Statistics.Median(gateway.Ready)),
            new("gateway, first cold answer", Statistics.Median(gateway.Answered)),
        ]));
        report.Charts.Add(new Chart("memory", "Resident memory after 1,000 requests", "MiB; less is better",
            [.. kinds.Select(kind => new ChartValue(kind.Name, Statistics.Median(kind.Later)))]));
        return report;

        void Against(Kind other, string whose)
        {
            report.Bars.Add(new Bar($"to /health/ready, of {whose} first answer", Statistics.Median(gateway.Ready.Zip(other.Answered, (mine, theirs) => mine / theirs)), 1.2));
            report.Bars.Add(new Bar($"to the first cold answer, of {whose} first answer", Statistics.Median(gateway.Answered.Zip(other.Answered, (mine, theirs) => mine / theirs)), 2));
        }
    }

    private static async Task OnceAsync(Rig rig, Kind kind, int minute)
    {
        await rig.EmptyRedisAsync();
        var started = TimeProvider.System.GetTimestamp();
        await using var subject = kind.Begin();
        if (kind.Probe.Length > 0)
        {
            kind.Ready.Add(Since(await subject.AnsweredAsync(kind.Probe)));
        }

        kind.Answered.Add(Since(await subject.AnsweredAsync(kind.Path)));
        if (kind.Probe.Length == 0)
        {
            kind.Ready.Add(kind.Answered[^1]);
        }

        kind.Resident.Add(subject.Process.ResidentMebibytes());
        await Hey.RepeatAsync(subject.At(kind.Path), 1_000);
        kind.Later.Add(subject.Process.ResidentMebibytes());
        if (minute > 0)
        {
            await Wrk.RunAsync(rig, new LoadTarget(kind.Name, subject, kind.Path), 64, minute);
            kind.AfterMinute = subject.Process.ResidentMebibytes();
        }

        double Since(long end) => TimeProvider.System.GetElapsedTime(started, end).TotalMilliseconds;
    }

    private static string Span(List<double> values) => Invariant($"{Statistics.Median(values):0} ({values.Min():0}-{values.Max():0})");

    /// <param name="Name">As it stands in the report.</param>
    /// <param name="Probe">What says that it is ready; empty where the first answer does.</param>
    /// <param name="Path">What it is asked.</param>
    /// <param name="Begin">Starts it.</param>
    private sealed record Kind(string Name, string Probe, string Path, Func<Subject> Begin)
    {
        public List<double> Ready { get; } = [];

        public List<double> Answered { get; } = [];

        public List<double> Resident { get; } = [];

        public List<double> Later { get; } = [];

        public double AfterMinute { get; set; }
    }
}
