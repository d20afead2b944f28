using FsCheck;
using FsCheck.Fluent;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The reference that the gateway's <c>Server-Timing</c> is compared with, against counting milliseconds one by one.</summary>
public sealed class CriticalPathTests
{
    private const int Last = 40;

    private static readonly DateTimeOffset Origin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<TimeRange> Anywhere =
        from start in Gen.Choose(0, Last)
        from end in Gen.Choose(0, Last)
        select Between(start, end);

    private static readonly Gen<(TimeRange Parent, TimeRange[] Children)> Families =
        from parent in Anywhere
        from count in Gen.Choose(0, 8)
        from children in Anywhere.ArrayOf(count)
        select (parent, children);

    [Theory]
    [InlineData("", 0)]
    [InlineData("10-30", 20)]
    [InlineData("10-30 10-30", 20)]
    [InlineData("10-30 20-50", 40)]
    [InlineData("20-50 10-30", 40)]
    [InlineData("10-50 20-30", 40)]
    [InlineData("10-50 20-30 40-60", 50)]
    [InlineData("10-20 20-30", 20)]
    [InlineData("10-20 30-40", 20)]
    [InlineData("0-5 95-120", 10)]
    [InlineData("0-100 0-100", 100)]
    [InlineData("100-110", 0)]
    [InlineData("30-10 10-20", 10)]
    public void A_parent_of_100_waits_once_for_children_side_by_side(string children, int waits)
    {
        var parent = Between(0, 100);
        TimeRange[] intervals = [.. children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => child.Split('-'))
            .Select(ends => Between(int.Parse(ends[0], null), int.Parse(ends[1], null)))];

        Assert.Equal(TimeSpan.FromMilliseconds(waits), CriticalPath.Of(parent, intervals));
        Assert.Equal(TimeSpan.FromMilliseconds(100 - waits), CriticalPath.Left(parent, intervals));
    }

    [Fact]
    public void It_is_what_counting_every_millisecond_gives() =>
        Prop.ForAll(Families.ToArbitrary(), family =>
            {
                var all = Enumerable.Range(0, Last).ToArray();
                var waited = all.Count(moment => Covers(family.Parent, moment) && Array.Exists(family.Children, child => Covers(child, moment)));
                var alone = all.Count(moment => Covers(family.Parent, moment) && !Array.Exists(family.Children, child => Covers(child, moment)));
                var covered = all.Count(moment => Array.Exists(family.Children, child => Covers(child, moment)));
                return CriticalPath.Of(family.Parent, family.Children) == TimeSpan.FromMilliseconds(waited)
                    && CriticalPath.Left(family.Parent, family.Children) == TimeSpan.FromMilliseconds(alone)
                    && CriticalPath.Union(family.Children) == TimeSpan.FromMilliseconds(covered);
            })
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    [Fact]
    public void The_cases_reach_overlaps_gaps_and_children_beyond_their_parent()
    {
        var families = Families.Sample(500);

        Assert.Contains(families, family => CriticalPath.Union(family.Children) < Sum(family.Children));
        Assert.Contains(families, family => CriticalPath.Of(family.Parent, family.Children) < CriticalPath.Union(family.Children));
        Assert.Contains(families, family => CriticalPath.Of(family.Parent, family.Children) > TimeSpan.Zero && CriticalPath.Left(family.Parent, family.Children) > TimeSpan.Zero);
        Assert.Contains(families, family => Array.Exists(family.Children, child => child.End < child.Start));
    }

    private static TimeSpan Sum(IEnumerable<TimeRange> intervals) => intervals.Aggregate(TimeSpan.Zero, (sum, interval) => sum + interval.Length);

    private static TimeRange Between(int start, int end) => new(Origin.AddMilliseconds(start), Origin.AddMilliseconds(end));

    private static bool Covers(TimeRange interval, int millisecond) =>
        interval.Start <= Origin.AddMilliseconds(millisecond) && Origin.AddMilliseconds(millisecond) < interval.End;
}
