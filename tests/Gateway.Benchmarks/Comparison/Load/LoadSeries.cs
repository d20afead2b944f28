namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>All turns of one subject, in order of the rounds.</summary>
internal sealed record LoadSeries(string Name, IReadOnlyList<LoadSample> Samples)
{
    public long Errors => Samples.Sum(sample => sample.Errors);

    public double Median(Func<LoadSample, double> figure) => Statistics.Median(Samples.Select(figure));

    /// <summary>Each turn against the other's of the same round; the machine was then in about the same mood.</summary>
    public IReadOnlyList<double> Ratios(LoadSeries other, Func<LoadSample, double> figure) =>
        [.. Samples.Zip(other.Samples, (mine, theirs) => figure(mine) / figure(theirs))];

    public double Ratio(LoadSeries other, Func<LoadSample, double> figure) => Statistics.Median(Ratios(other, figure));
}
