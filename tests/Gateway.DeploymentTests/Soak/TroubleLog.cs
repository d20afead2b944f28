namespace Gateway.DeploymentTests.Soak;

/// <summary>What was made to go wrong, and when: what an answer may be excused with, and the shades of the plots.</summary>
internal sealed class TroubleLog
{
    private readonly Lock _gate = new();
    private readonly List<Trouble> _all = [];

    public IReadOnlyList<Trouble> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _all];
            }
        }
    }

    public Trouble Begin(Trouble trouble)
    {
        lock (_gate)
        {
            _all.Add(trouble);
        }

        return trouble;
    }

    /// <summary>Something that was so between two times, or shortly before, excuses it.</summary>
    public bool Excuses(string what, DateTimeOffset from, DateTimeOffset to)
    {
        lock (_gate)
        {
            return _all.Exists(trouble => trouble.Touches(from, to, trouble.Aftermath) && trouble.Excuses.Contains(what, StringComparer.Ordinal));
        }
    }

    /// <summary>One of the targets was in trouble between two times, or had been shortly before.</summary>
    public bool Any(DateTimeOffset from, DateTimeOffset to, TimeSpan aftermath, params string[] targets)
    {
        lock (_gate)
        {
            return _all.Exists(trouble => targets.Contains(trouble.Target, StringComparer.Ordinal) && trouble.Touches(from, to, aftermath));
        }
    }
}
