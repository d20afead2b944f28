using FsCheck;
using FsCheck.Fluent;
using Gateway.Observability;

namespace Gateway.Tests.Observability;

public sealed class RequestTimingsTests
{
    private static readonly string[] Phases = [RequestTimings.Token, RequestTimings.Billing, RequestTimings.Paymentwall, RequestTimings.Cache];

    private readonly TestClock _time = new();
    private readonly RequestTimings _timeline = new();

    [Fact]
    public void Where_nothing_was_waited_for_all_of_the_time_is_the_gateways()
    {
        Assert.Equal([0, 0, 0, 0, 70], Shares(30, 100));
        Assert.Equal([0, 0, 0, 0, 0], Shares(30, 30));
    }

    [Fact]
    public void Phases_come_in_a_fixed_order_and_the_gateway_last() =>
        Assert.Equal([.. Phases, RequestTimings.Gateway], _timeline.Between(0, 1, _time).Select(share => share.Phase));

    [Fact]
    public void Calls_side_by_side_are_not_added_up()
    {
        _timeline.Add(RequestTimings.Paymentwall, 10, 30);
        _timeline.Add(RequestTimings.Paymentwall, 20, 50);
        _timeline.Add(RequestTimings.Paymentwall, 10, 30);

        Assert.Equal([0, 0, 40, 0, 60], Shares(0, 100));
    }

    [Fact]
    public void A_call_within_another_adds_nothing_and_neither_ends_it()
    {
        _timeline.Add(RequestTimings.Billing, 10, 90);
        _timeline.Add(RequestTimings.Billing, 20, 30);
        _timeline.Add(RequestTimings.Billing, 80, 95);

        Assert.Equal([0, 85, 0, 0, 15], Shares(0, 100));
    }

    [Fact]
    public void Different_phases_overlap_and_the_gateway_s_share_is_what_neither_covers()
    {
        _timeline.Add(RequestTimings.Billing, 10, 60);
        _timeline.Add(RequestTimings.Paymentwall, 40, 80);

        Assert.Equal([0, 50, 40, 0, 30], Shares(0, 100));
    }

    [Fact]
    public void Calls_one_after_the_other_are_added_up()
    {
        _timeline.Add(RequestTimings.Token, 60, 70);
        _timeline.Add(RequestTimings.Token, 70, 75);
        _timeline.Add(RequestTimings.Token, 0, 10);

        Assert.Equal([25, 0, 0, 0, 75], Shares(0, 100));
    }

    [Fact]
    public void What_lies_outside_is_cut_off()
    {
        _timeline.Add(RequestTimings.Cache, 0, 20);
        _timeline.Add(RequestTimings.Cache, 90, 200);
        _timeline.Add(RequestTimings.Cache, 300, 400);

        Assert.Equal([0, 0, 0, 30, 70], Shares(10, 110));
    }

    [Fact]
    public void An_interval_of_no_length_or_the_wrong_way_round_counts_for_nothing()
    {
        _timeline.Add(RequestTimings.Cache, 50, 50);
        _timeline.Add(RequestTimings.Cache, 70, 60);

        Assert.Equal([0, 0, 0, 0, 100], Shares(0, 100));
    }

    [Fact]
    public void Who_joins_has_waited_for_what_is_left_of_it()
    {
        var other = new RequestTimings();
        other.Add(RequestTimings.Token, 0, 30);
        other.Add(RequestTimings.Billing, 30, 80);
        other.Add(RequestTimings.Cache, 0, 5);

        _timeline.Add(other, since: 20);

        Assert.Equal([10, 50, 0, 0, 20], Shares(20, 100));
        Assert.Equal([10, 50, 0, 0, 40], Shares(0, 100));
    }

    [Fact]
    public void Two_that_took_over_the_same_load_count_it_once()
    {
        var other = new RequestTimings();
        other.Add(RequestTimings.Billing, 0, 50);

        _timeline.Add(other, since: 0);
        _timeline.Add(other, since: 10);

        Assert.Equal([0, 50, 0, 0, 50], Shares(0, 100));
    }

    [Fact]
    public void One_that_takes_over_itself_stays_as_it_is()
    {
        _timeline.Add(RequestTimings.Billing, 0, 50);

        _timeline.Add(_timeline, since: 25);

        Assert.Equal([0, 50, 0, 0, 50], Shares(0, 100));
    }

    [Fact]
    public void The_header_has_milliseconds_with_a_point()
    {
        var shares = new (string, TimeSpan)[] { ("billing", TimeSpan.FromMicroseconds(1_234_567.8)), ("gateway", TimeSpan.Zero) };

        Assert.Equal("billing;dur=1234.568, gateway;dur=0", RequestTimings.Header(shares));
    }

    [Fact]
    public void Any_intervals_cover_what_a_grid_says_they_cover() =>
        Prop.ForAll(Cases().ToArbitrary(), Agrees).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    [Fact]
    public void The_cases_have_overlaps_gaps_and_what_lies_outside()
    {
        var cases = Cases().Sample(300).ToList();

        Assert.Contains(cases, one => one.Intervals.Length == 0);
        Assert.Contains(cases, one => one.Intervals.Any(interval => interval.From < one.From || interval.To > one.To));
        Assert.Contains(cases, one => Enumerable.Range(0, Phases.Length).Any(phase => one.Intervals.Count(interval => interval.Phase == phase) > 3));
        Assert.Contains(cases, one => Grid(one)[^1] is > 0 and < 20);
    }

    /// <summary>Tick by tick: which phases cover it?</summary>
    private static long[] Grid(Case one)
    {
        var shares = new long[Phases.Length + 1];
        for (var tick = one.From; tick < one.To; tick++)
        {
            var covering = one.Intervals.Where(interval => interval.From <= tick && tick < interval.To).Select(interval => interval.Phase).ToHashSet();
            foreach (var phase in covering)
            {
                shares[phase]++;
            }

            shares[^1] += covering.Count == 0 ? 1 : 0;
        }

        return shares;
    }

    private static Gen<Case> Cases() =>
        from begin in Gen.Choose(0, 30)
        from length in Gen.Choose(0, 70)
        from intervals in (
            from phase in Gen.Choose(0, Phases.Length - 1)
            from start in Gen.Choose(0, 100)
            from duration in Gen.Choose(0, 40)
            select (phase, start, start + duration)).ArrayOf()
        select new Case(begin, begin + length, intervals);

    private bool Agrees(Case one)
    {
        var timeline = new RequestTimings();
        foreach (var (phase, from, to) in one.Intervals)
        {
            timeline.Add(Phases[phase], from, to);
        }

        return Grid(one).SequenceEqual(timeline.Between(one.From, one.To, _time).Select(share => share.Duration.Ticks));
    }

    private IEnumerable<long> Shares(long start, long end) => _timeline.Between(start, end, _time).Select(share => share.Duration.Ticks);

    private sealed record Case(int From, int To, (int Phase, int From, int To)[] Intervals)
    {
        public override string ToString() => $"{From}..{To}: {string.Join(' ', Intervals.Select(one => $"{Phases[one.Phase]} {one.From}..{one.To}"))}";
    }
}
