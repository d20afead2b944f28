namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// When a process answered with a price. A price that is beyond its freshness may be served once while it is refreshed; it is the
/// first such answer that begins the refresh, so how old a price may be depends on when it was last asked for.
/// </summary>
internal sealed class DemandLedger
{
    private const int Most = 128;

    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Instance, string Country, string Sku), List<DateTimeOffset>> _answered = [];

    public void Answered(string instance, string country, string sku, DateTimeOffset receivedAt)
    {
        lock (_gate)
        {
            var times = _answered.TryGetValue((instance, country, sku), out var known) ? known : _answered[(instance, country, sku)] = [];
            if (times.Count == 0 || receivedAt - times[^1] >= Apart)
            {
                if (times.Count == Most)
                {
                    times.RemoveAt(0);
                }

                times.Add(receivedAt);
            }
        }
    }

    public bool AnsweredBetween(string instance, string country, string sku, DateTimeOffset from, DateTimeOffset to)
    {
        lock (_gate)
        {
            return _answered.TryGetValue((instance, country, sku), out var times) && times.Exists(time => time >= from && time <= to);
        }
    }

    /// <summary>The process is gone.</summary>
    public void Forget(string instance)
    {
        lock (_gate)
        {
            foreach (var key in _answered.Keys.Where(key => key.Instance == instance).ToList())
            {
                _answered.Remove(key);
            }
        }
    }
}
