using System.Globalization;

namespace Gateway.DeploymentTests.Soak;

/// <summary>How much of the time something on this machine waited for a processor, by the kernel's word (<c>/proc/pressure/cpu</c>).</summary>
internal sealed class Crowding
{
    private const string Source = "/proc/pressure/cpu";

    private readonly Lock _gate = new();
    private readonly List<(DateTimeOffset At, double Seconds)> _samples = [];

    public async Task WatchAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && File.Exists(Source))
        {
            var total = (await File.ReadAllTextAsync(Source, CancellationToken.None)).Split('\n')[0].Split("total=")[1];
            lock (_gate)
            {
                _samples.Add((TimeProvider.System.GetUtcNow(), long.Parse(total, CultureInfo.InvariantCulture) / 1e6));
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>0 to 1, over the whole time.</summary>
    public double Overall
    {
        get
        {
            lock (_gate)
            {
                return _samples.Count < 2 ? 0 : (_samples[^1].Seconds - _samples[0].Seconds) / (_samples[^1].At - _samples[0].At).TotalSeconds;
            }
        }
    }

    /// <summary>0 to 1, lately.</summary>
    public double Lately(TimeSpan window)
    {
        lock (_gate)
        {
            var first = Math.Max(0, _samples.Count - 1 - (int)window.TotalSeconds);
            return _samples.Count < 2 ? 0 : (_samples[^1].Seconds - _samples[first].Seconds) / Math.Max(1, (_samples[^1].At - _samples[first].At).TotalSeconds);
        }
    }
}
