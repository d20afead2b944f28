namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// How long a parent waited for its children, and for how long it worked alone. Children that run side by side are waited for
/// once: it is the length of their intervals' union that counts, not the sum of their lengths.
/// </summary>
internal static class CriticalPath
{
    /// <summary>How long at least one of them was under way.</summary>
    public static TimeSpan Union(IEnumerable<TimeRange> intervals)
    {
        var total = TimeSpan.Zero;
        var coveredTo = DateTimeOffset.MinValue;
        foreach (var interval in intervals.OrderBy(interval => interval.Start))
        {
            var start = interval.Start > coveredTo ? interval.Start : coveredTo;
            if (interval.End > start)
            {
                total += interval.End - start;
                coveredTo = interval.End;
            }
        }

        return total;
    }

    /// <summary>How long, during the parent, at least one child was under way.</summary>
    public static TimeSpan Of(TimeRange parent, IEnumerable<TimeRange> children) => Union(children.Select(child => child.Within(parent)));

    /// <summary>How long, during the parent, no child was under way.</summary>
    public static TimeSpan Left(TimeRange parent, IEnumerable<TimeRange> children) => parent.Length - Of(parent, children);
}
