using Gateway.Benchmarks.Comparison.Load;

namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>The table of a scenario under steady load: medians over the rounds, ratios as medians of the rounds' own ratios.</summary>
internal static class LoadTable
{
    /// <param name="report">Where it goes.</param>
    /// <param name="series">One a subject.</param>
    /// <param name="reference">What ratios are against.</param>
    /// <param name="of">Its name in the heads.</param>
    /// <param name="waited">What the upstreams alone take, in milliseconds: the table then says what p50 is beyond it.</param>
    public static void Add(ScenarioReport report, IReadOnlyList<LoadSeries> series, LoadSeries reference, string of, double waited = 0)
    {
        List<string> columns = ["subject", "requests/s", "of " + of, "CPU µs/request", "of " + of, waited > 0 ? Invariant($"p50 over {waited:0} ms") : "p50 ms", "p99 ms", "of " + of, "errors"];
        var callsOut = series.Any(one => one.Median(sample => sample.Lists + sample.Prices) > 0.01);
        if (callsOut)
        {
            columns.Add("list, price calls/request");
        }

        report.Tables.Add(new Table(columns, [.. series.Select(one => (IReadOnlyList<string>)[
            one.Name,
            Invariant($"{one.Median(sample => sample.RequestsPerSecond):#,0}"),
            Ratio(one, sample => sample.RequestsPerSecond),
            Invariant($"{one.Median(sample => sample.ProcessorMicroseconds):#,0.0}"),
            Ratio(one, sample => sample.ProcessorMicroseconds),
            waited > 0 ? Invariant($"+{one.Median(sample => sample.P50) - waited:0.00} ms") : Invariant($"{one.Median(sample => sample.P50):0.00}"),
            Invariant($"{one.Median(sample => sample.P99):0.00}"),
            Ratio(one, sample => sample.P99),
            Invariant($"{one.Errors}"),
            .. callsOut ? (string[])[Invariant($"{one.Median(sample => sample.Lists):0.00}, {one.Median(sample => sample.Prices):0.00}")] : []])]));
        report.Series.AddRange(series);

        string Ratio(LoadSeries one, Func<LoadSample, double> figure)
        {
            var ratios = one.Ratios(reference, figure);
            return ReferenceEquals(one, reference) ? "1" : Invariant($"{Statistics.Median(ratios):0.00} ({ratios.Min():0.00}-{ratios.Max():0.00})");
        }
    }

    /// <summary>How far the same subject is from itself: what a ratio here can be off by without meaning anything.</summary>
    public static void AddNoise(ScenarioReport report, LoadSeries one, LoadSeries again)
    {
        report.Notes.Add(Invariant($"Noise, {one.Name} against itself: requests/s {Span(sample => sample.RequestsPerSecond)}, CPU {Span(sample => sample.ProcessorMicroseconds)}, p50 {Span(sample => sample.P50)}, p99 {Span(sample => sample.P99)}."));

        string Span(Func<LoadSample, double> figure)
        {
            var ratios = again.Ratios(one, figure);
            return Invariant($"{ratios.Min():0.00}-{ratios.Max():0.00}");
        }
    }
}
