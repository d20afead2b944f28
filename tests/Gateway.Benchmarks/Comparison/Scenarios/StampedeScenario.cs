using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>Five hundred ask the same thing at once, and nobody knows the answer.</summary>
internal static class StampedeScenario
{
    private const int Callers = 500;
    private const int Components = 12;

    public static async Task<ScenarioReport> RunAsync(Rig rig)
    {
        var report = new ScenarioReport(
            "stampede",
            "Five hundred at once, cold",
            Invariant($"{Callers} callers, one request each, at the same moment (hey), {Components} components, upstreams at 20 ms, one Redis. First on replicas that were just started and have no token; then, warmed up, on another product, beside single cold calls. Times are the callers', connecting included."));
        var rows = new List<IReadOnlyList<string>>();
        foreach (var replicas in new[] { 1, 3 })
        {
            List<Counted> first = [], later = [];
            List<double> singles = [], lasts = [], ratios = [];
            for (var round = 1; round <= rig.Options.Rounds; round++)
            {
                await rig.SetAsync(20, Components);
                await rig.EmptyRedisAsync();
                var gateways = new List<Subject>();
                try
                {
                    for (var number = 0; number < replicas; number++)
                    {
                        gateways.Add(await rig.StartGatewayAsync());
                    }

                    first.Add(await BurstAsync(rig, gateways, Invariant($"stampede-{replicas}-{round}")));
                    for (var turn = 0; turn < 2; turn++)
                    {
                        await BurstAsync(rig, gateways, Invariant($"warming-{replicas}-{round}-{turn}"));
                    }

                    // As the stampede's callers do: each with a connection of its own.
                    var alone = new List<double>();
                    for (var turn = 0; turn < 9; turn++)
                    {
                        alone.AddRange((await Hey.BurstAsync([gateways[turn % replicas].At(Invariant($"catalog?product=single-{replicas}-{round}-{turn}&country=DE"))], 1)).Milliseconds);
                    }

                    var counted = await BurstAsync(rig, gateways, Invariant($"later-{replicas}-{round}"));
                    later.Add(counted);
                    singles.Add(Statistics.Median(alone));
                    lasts.Add(counted.P99);
                    ratios.Add(counted.P99 / singles[^1]);
                    Progress.Say($"  {replicas} replica(s), {round}/{rig.Options.Rounds}: first {first[^1]}; warmed up {counted}; a single call {singles[^1]:0.0} ms");
                }
                finally
                {
                    foreach (var gateway in gateways)
                    {
                        await gateway.DisposeAsync();
                    }
                }
            }

            var who = replicas == 1 ? "1 replica" : Invariant($"{replicas} replicas");
            rows.Add(Row(who + ", just started", first, single: null));
            rows.Add(Row(who + ", warmed up", later, Statistics.Median(singles)));
            report.Bars.Add(new Bar(who + ": token requests, at most in any round", first.Max(one => one.Tokens), 1));
            report.Bars.Add(new Bar(who + ": list calls", first.Concat(later).Max(one => one.Lists), 1));
            report.Bars.Add(new Bar(who + ": price calls", first.Concat(later).Max(one => one.Prices), Components));
            report.Bars.Add(new Bar(who + ": p99, of a single cold call", Statistics.Median(ratios), 3));
            report.Bars.Add(new Bar(who + ": callers without an answer", first.Concat(later).Sum(one => one.Errors), 0));
            report.Charts.Add(new Chart(Invariant($"stampede-{replicas}"), Invariant($"{Callers} at once, cold, {who}"), "ms, median of the rounds; less is better",
            [
                new("a single cold call", Statistics.Median(singles)),
                new("gateway, p50 of 500", Statistics.Median(later.Select(one => one.P50))),
                new("gateway, p99 of 500", Statistics.Median(lasts)),
            ]));
        }

        report.Tables.Add(new Table(["", "token requests", "list calls", "price calls", "p50 ms", "p99 ms", "a single cold call, ms", "errors"], rows));
        return report;
    }

    private static async Task<Counted> BurstAsync(Rig rig, List<Subject> gateways, string product)
    {
        var (calls, tokens) = (await rig.CallsAsync(), await rig.TokenRequestsAsync());
        var (times, errors) = await Hey.BurstAsync([.. gateways.Select(gateway => gateway.At($"catalog?product={product}&country=DE"))], Callers);
        var after = await rig.CallsAsync();
        return new Counted(
            await rig.TokenRequestsAsync() - tokens, after.Lists - calls.Lists, after.Prices - calls.Prices, errors,
            times.Count == 0 ? double.NaN : Statistics.Median(times), times.Count == 0 ? double.NaN : Statistics.Percentile(times, 0.99));
    }

    private static IReadOnlyList<string> Row(string who, List<Counted> rounds, double? single) =>
    [
        who, Span(rounds, one => one.Tokens), Span(rounds, one => one.Lists), Span(rounds, one => one.Prices),
        Invariant($"{Statistics.Median(rounds.Select(one => one.P50)):0.0}"), Invariant($"{Statistics.Median(rounds.Select(one => one.P99)):0.0}"),
        single is { } known ? Invariant($"{known:0.0}") : string.Empty, Invariant($"{rounds.Sum(one => one.Errors)}"),
    ];

    /// <summary>The same in every round, or from the least to the most.</summary>
    private static string Span(List<Counted> rounds, Func<Counted, long> figure)
    {
        var (least, most) = (rounds.Min(figure), rounds.Max(figure));
        return least == most ? Invariant($"{least}") : Invariant($"{least}-{most}");
    }

    private sealed record Counted(int Tokens, long Lists, long Prices, int Errors, double P50, double P99)
    {
        public override string ToString() => Invariant($"{Tokens} token, {Lists} list, {Prices} price calls, p50 {P50:0.0} ms, p99 {P99:0.0} ms, {Errors} errors");
    }
}
