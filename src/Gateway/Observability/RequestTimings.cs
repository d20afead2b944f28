using System.Globalization;

namespace Gateway.Observability;

/// <summary>
/// Where the time of a request went that waited for several things at once: intervals by phase, of which the union counts, so that
/// parallel calls are not added up. What no interval covers is the gateway's own share. Timestamps are the time provider's.
/// </summary>
internal sealed class RequestTimings
{
    /// <summary>The header that tells them.</summary>
    public const string HeaderName = "Server-Timing";

    public const string Token = "token";
    public const string Billing = "billing";
    public const string Paymentwall = "paymentwall";
    public const string Cache = "cache";
    public const string Gateway = "gateway";

    private static readonly string[] Phases = [Token, Billing, Paymentwall, Cache];

    private readonly Lock _gate = new();
    private readonly List<(Interval Seen, long Since)> _intervals = [];

    public void Add(string phase, long start, long end) => Open(phase, start).Close(end);

    /// <summary>
    /// What begins now and is closed when it is over: whoever looks before that, because his own time ran out first, sees that it has
    /// been waited for until then.
    /// </summary>
    public Interval Open(string phase, long start)
    {
        var opened = new Interval(phase);
        lock (_gate)
        {
            _intervals.Add((opened, start));
        }

        return opened;
    }

    /// <summary>Takes over what another saw from a moment on: who joins what is under way has waited for that much of it.</summary>
    public void Add(RequestTimings other, long since)
    {
        if (other == this)
        {
            return;
        }

        (Interval Seen, long Since)[] taken;
        lock (other._gate)
        {
            taken = [.. other._intervals];
        }

        lock (_gate)
        {
            foreach (var (seen, began) in taken)
            {
                if (seen.End > since)
                {
                    _intervals.Add((seen, Math.Max(began, since)));
                }
            }
        }
    }

    /// <summary>Every phase's share of the time between two timestamps, and last the gateway's own.</summary>
    public IReadOnlyList<(string Phase, TimeSpan Duration)> Between(long start, long end, TimeProvider time)
    {
        var within = Within(start, end);
        var shares = new (string, TimeSpan)[Phases.Length + 1];
        for (var phase = 0; phase < Phases.Length; phase++)
        {
            shares[phase] = (Phases[phase], time.GetElapsedTime(0, Union(within, Phases[phase])));
        }

        shares[^1] = (Gateway, time.GetElapsedTime(0, Math.Max(0, end - start) - Union(within, phase: null)));
        return shares;
    }

    /// <summary>The value of the header, in milliseconds.</summary>
    public static string Header(IReadOnlyList<(string Phase, TimeSpan Duration)> shares) =>
        string.Join(", ", shares.Select(share => string.Create(CultureInfo.InvariantCulture, $"{share.Phase};dur={share.Duration.TotalMilliseconds:0.###}")));

    /// <summary>What of the intervals lies between two timestamps, sorted by when it begins.</summary>
    private List<(string Phase, long Start, long End)> Within(long start, long end)
    {
        var within = new List<(string Phase, long Start, long End)>();
        lock (_gate)
        {
            foreach (var (seen, since) in _intervals)
            {
                var (from, to) = (Math.Max(since, start), Math.Min(seen.End, end));
                if (to > from)
                {
                    within.Add((seen.Phase, from, to));
                }
            }
        }

        within.Sort(static (one, other) => one.Start.CompareTo(other.Start));
        return within;
    }

    /// <summary>The length of what the intervals of a phase, or of all of them, cover together.</summary>
    private static long Union(List<(string Phase, long Start, long End)> sorted, string? phase)
    {
        var (covered, until) = (0L, long.MinValue);
        foreach (var (of, start, end) in sorted)
        {
            if (end > until && (phase is null || of == phase))
            {
                covered += end - Math.Max(start, until);
                until = end;
            }
        }

        return covered;
    }

    /// <summary>One thing waited for.</summary>
    internal sealed class Interval(string phase)
    {
        private long _end = long.MaxValue;

        public string Phase => phase;

        public long End => Volatile.Read(ref _end);

        public void Close(long end) => Volatile.Write(ref _end, end);
    }
}
