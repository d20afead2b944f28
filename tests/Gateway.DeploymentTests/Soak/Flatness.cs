namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// Whether a series is flat: the straight line that fits the later half best must not rise, over that half, by more than a tenth of
/// the half's median or by more than an allowance, whichever is more. The earlier half is warm-up: caches fill, code is compiled
/// anew, pools grow to what the load needs.
/// </summary>
/// <param name="Rise">Of the fitted line over the later half.</param>
/// <param name="Median">Of the later half.</param>
/// <param name="Allowed">The most that it may rise.</param>
internal sealed record Flatness(double Rise, double Median, double Allowed)
{
    public bool IsFlat => Rise <= Allowed;

    /// <param name="series">Seconds and value, in order of time.</param>
    /// <param name="allowance">In the value's unit.</param>
    public static Flatness Of(IReadOnlyList<(double Seconds, double Value)> series, double allowance)
    {
        if (series.Count < 4)
        {
            return new Flatness(0, 0, allowance);
        }

        var middle = (series[0].Seconds + series[^1].Seconds) / 2;
        var later = series.Where(point => point.Seconds >= middle).ToList();
        var (x, y) = (later.Average(point => point.Seconds), later.Average(point => point.Value));
        var slope = later.Sum(point => (point.Seconds - x) * (point.Value - y)) / later.Sum(point => (point.Seconds - x) * (point.Seconds - x));
        var median = later.Select(point => point.Value).Order().ElementAt(later.Count / 2);
        return new Flatness(slope * (later[^1].Seconds - later[0].Seconds), median, Math.Max(median / 10, allowance));
    }
}
