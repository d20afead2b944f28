namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// When this process stood still for want of a processor: the gateways on the same machine did too. What is measured here is added to
/// the bounds of the answers of that time, and nothing else is.
/// </summary>
internal sealed class Pauses
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private readonly List<(DateTimeOffset From, DateTimeOffset To)> _all = [];

    /// <summary>How often and for how long altogether.</summary>
    public (int Count, TimeSpan Total, TimeSpan Longest) Total
    {
        get
        {
            lock (_gate)
            {
                return (_all.Count, _all.Aggregate(TimeSpan.Zero, (sum, pause) => sum + (pause.To - pause.From)), _all.Select(pause => pause.To - pause.From).DefaultIfEmpty().Max());
            }
        }
    }

    public async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var before = TimeProvider.System.GetUtcNow();
            await Task.Delay(Beat, TimeProvider.System, CancellationToken.None);
            var after = TimeProvider.System.GetUtcNow();
            if (after - before - Beat > Least)
            {
                lock (_gate)
                {
                    _all.Add((before + Beat, after));
                }
            }
        }
    }

    public TimeSpan Between(DateTimeOffset from, DateTimeOffset to)
    {
        var sum = TimeSpan.Zero;
        lock (_gate)
        {
            for (var index = _all.Count - 1; index >= 0 && _all[index].To > from - TimeSpan.FromMinutes(2); index--)
            {
                var (begin, end) = (_all[index].From > from ? _all[index].From : from, _all[index].To < to ? _all[index].To : to);
                sum += end > begin ? end - begin : TimeSpan.Zero;
            }
        }

        return sum;
    }
}
