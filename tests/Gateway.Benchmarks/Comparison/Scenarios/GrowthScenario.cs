using System.Text.Json.Nodes;
using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>What more components cost, and what more questions than fit into memory do.</summary>
internal static class GrowthScenario
{
    private const int Callers = 16;

    private static readonly int[] Sizes = [10, 100, 500, 2_000];
    private static readonly int[] Fills = [2, 5, 10];
    private static readonly int[] Limits = [8, 32];

    public static async Task<ScenarioReport> RunAsync(Rig rig)
    {
        var report = new ScenarioReport(
            "growth",
            "Growth",
            Invariant($"Cold answers of more and more components, one at a time, upstreams at 0 ms, Redis on: the process's CPU per component. Then two gateways without Redis and with little `Catalog:MemoryLimit`, full already, are asked ten times as many other questions as fit."));
        await ItemsAsync(rig, report);
        await MemoryAsync(rig, report);
        return report;
    }

    private static async Task ItemsAsync(Rig rig, ScenarioReport report)
    {
        await using var gateway = await rig.StartGatewayAsync(
            ("Paymentwall__MaxConcurrency", "256"), ("Paymentwall__Timeout", "00:00:30"), ("Paymentwall__AttemptTimeout", "00:00:29"),
            ("Billing__Timeout", "00:00:30"), ("Billing__AttemptTimeout", "00:00:29"), ("Catalog__Deadline", "00:00:50"));
        await using var floor = await rig.StartAsync("floor", []);
        (string Name, Subject Subject, string Path)[] subjects = [("floor", floor, "cold"), ("gateway", gateway, "catalog")];
        var costs = subjects.ToDictionary(subject => subject.Name, _ => Sizes.Select(_ => new List<double>()).ToArray(), StringComparer.Ordinal);
        await rig.SetAsync(0, 100);
        foreach (var (name, subject, path) in subjects)
        {
            await WarmUpAsync(rig, name, subject, path);
        }

        var serial = 0;
        for (var round = 1; round <= rig.Options.Rounds; round++)
        {
            for (var index = 0; index < Sizes.Length; index++)
            {
                await rig.SetAsync(0, Sizes[index]);
                foreach (var (name, subject, path) in subjects)
                {
                    var requests = Math.Max(2, rig.Options.Seconds * 4_000 / Sizes[index]);
                    var before = subject.Process.ProcessorTime();
                    for (var request = 0; request < requests; request++)
                    {
                        await AskAsync(subject, path, Invariant($"growth-{++serial}"));
                    }

                    costs[name][index].Add((subject.Process.ProcessorTime() - before).TotalMicroseconds / requests / Sizes[index]);
                    Progress.Say($"  {round}/{rig.Options.Rounds} {name}, {Sizes[index]} components: {costs[name][index][^1]:0.0} µs each");
                }
            }
        }

        report.Tables.Add(new Table(
            ["CPU µs per component", .. Sizes.Select(size => Invariant($"{size:#,0}"))],
            [.. costs.Select(subject => (IReadOnlyList<string>)[subject.Key, .. subject.Value.Select(list => Invariant($"{Statistics.Median(list):0.0}"))])]));
        var mine = costs["gateway"];
        report.Bars.Add(new Bar("CPU per component at 2,000, of that at 10", Statistics.Median(mine[^1].Zip(mine[0], (many, few) => many / few)), 1.1));
        report.Bars.Add(new Bar("CPU per component at 2,000, of that at 100", Statistics.Median(mine[^1].Zip(mine[1], (many, some) => many / some)), 1.1));
        report.Charts.Add(new Chart("growth", "CPU per component of a cold answer", "µs of the server's process; less is better, and alike is the point",
            [.. costs.SelectMany(subject => Sizes.Select((size, index) => new ChartValue(Invariant($"{subject.Key}, {size:#,0} components"), Statistics.Median(subject.Value[index]))))]));
    }

    private static async Task MemoryAsync(Rig rig, ScenarioReport report)
    {
        await rig.SetAsync(0, 12);
        var rows = new List<IReadOnlyList<string>>();
        foreach (var limit in Limits)
        {
            await using var gateway = await rig.StartGatewayAsync(("Redis__ConnectionString", ""), ("Catalog__MemoryLimit", Invariant($"{limit * 1024 * 1024}")));
            await AskManyAsync(gateway, limit, 0, 200);
            var (entries, bytes) = await CachedAsync(gateway);
            var fit = (int)(limit * 1024 * 1024 / (bytes / 200.0));
            var resident = new List<double>();
            var held = new List<double>();
            await WarmUpAsync(rig, "gateway", gateway, "catalog");
            await NoteAsync(gateway, limit, 0, resident, held);
            var asked = 0;
            foreach (var fill in Fills)
            {
                await AskManyAsync(gateway, limit, asked, fill * fit);
                asked = fill * fit;
                await NoteAsync(gateway, limit, asked, resident, held);
            }

            rows.Add([Invariant($"{limit} MiB"), Invariant($"{fit:#,0}"), .. held.Zip(resident, (cached, all) => Invariant($"{cached:0.0} / {all:0}"))]);
            report.Bars.Add(new Bar(Invariant($"limit {limit} MiB: cached after ten times as many, of the limit"), held.Max() / limit, 1));
            report.Bars.Add(new Bar(Invariant($"limit {limit} MiB: resident after ten times as many as fit, of that before"), resident[^1] / resident[0], 1.25));
        }

        report.Tables.Add(new Table(
            ["`Catalog:MemoryLimit`", "questions that fit", "after 30 s of load", .. Fills.Select(fill => Invariant($"{fill} × more"))],
            rows,
            "MiB cached / resident after so many times as many questions as fit:"));
    }

    private static Task WarmUpAsync(Rig rig, string name, Subject subject, string path) =>
        Rounds.WarmUpAsync(rig, Callers, [new LoadTarget(name, subject, path + "?product=growth-before-{n}&country=DE")]);

    private static async Task NoteAsync(Subject gateway, int limit, int asked, List<double> resident, List<double> held)
    {
        resident.Add(gateway.Process.ResidentMebibytes());
        held.Add((await CachedAsync(gateway)).Bytes / 1024.0 / 1024);
        Progress.Say($"  limit {limit} MiB, {asked} questions: {held[^1]:0.0} MiB cached, {resident[^1]:0} MiB resident");
    }

    private static Task AskManyAsync(Subject gateway, int limit, int from, int to)
    {
        var next = from - 1;
        return Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            for (var number = Interlocked.Increment(ref next); number < to; number = Interlocked.Increment(ref next))
            {
                await AskAsync(gateway, "catalog", Invariant($"fill-{limit}-{number}"));
            }
        }));
    }

    private static async Task AskAsync(Subject subject, string path, string product)
    {
        var (_, body) = await subject.GetAsync($"{path}?product={product}&country=DE");
        if (body.AsSpan(0, Math.Min(body.Length, 400)).IndexOf("\"complete\":true"u8) < 0)
        {
            throw new InvalidOperationException("An answer is not complete: " + System.Text.Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 400))));
        }
    }

    private static async Task<(int Entries, long Bytes)> CachedAsync(Subject gateway)
    {
        var (_, body) = await gateway.GetAsync("health/details", headers: ("X-Api-Key", Rig.AdminKey));
        var cache = JsonNode.Parse(body)!["cache"]!;
        return ((int)cache["entries"]!, (long)cache["bytes"]!);
    }
}
