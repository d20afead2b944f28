using Gateway.Observability;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Observability;

public sealed class DependencyHealthTests
{
    private const int Failing = 1901;
    private const int Well = 1902;

    private readonly TestClock _time = new();
    private readonly LogRecorder<DependencyHealthTests> _log = new();
    private readonly DependencyHealth _health;

    public DependencyHealthTests() => _health = new DependencyHealth("thing", _time, _log);

    [Fact]
    public void Before_the_first_call_nothing_is_known()
    {
        Assert.Equal(new DependencyReport(IsFailing: false, null, null, null, 0, 0), _health.Report());
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void Three_failures_in_a_row_are_not_chance_and_are_said_once()
    {
        Calls("unreachable", "timeout");
        Assert.False(_health.Report().IsFailing);
        Assert.Empty(_log.Lines);

        Calls("rejected", "rejected", "rejected");

        Assert.True(_health.Report().IsFailing);
        var line = Assert.Single(_log.Lines);
        Assert.Equal((Failing, LogLevel.Warning, "thing is failing: 3 calls in a row, the last one with rejected"), line);
    }

    [Fact]
    public void A_success_in_between_begins_the_count_anew()
    {
        Calls("timeout", "timeout", null, "timeout", "timeout");

        Assert.False(_health.Report().IsFailing);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void One_success_ends_it_and_is_said_once_and_every_change_is_one_line()
    {
        Calls("timeout", "timeout", "timeout", null, null, null);
        Assert.False(_health.Report().IsFailing);
        Assert.Equal([Failing, Well], _log.Ids);

        Calls("timeout", "timeout", "timeout", "timeout", null);

        Assert.Equal([Failing, Well, Failing, Well], _log.Ids);
        Assert.Equal((Well, LogLevel.Information, "thing is well again"), _log.Lines[^1]);
    }

    [Fact]
    public void Last_success_and_last_failure_have_their_times()
    {
        Calls([null]);
        var success = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(7));
        Calls("badPayload");

        var report = _health.Report();
        Assert.Equal((success, success + TimeSpan.FromSeconds(7), "badPayload"), (report.LastSuccess, report.LastFailure, report.LastOutcome));
    }

    [Fact]
    public void The_error_rate_is_that_of_the_last_minute()
    {
        Calls("timeout", null, null, null);
        Assert.Equal((4, 0.25), (_health.Report().Calls, _health.Report().ErrorRate));

        _time.Advance(TimeSpan.FromSeconds(30));
        Calls("timeout", "timeout", null, null);
        Assert.Equal((8, 0.375), (_health.Report().Calls, _health.Report().ErrorRate));

        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(8, _health.Report().Calls);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((4, 0.5), (_health.Report().Calls, _health.Report().ErrorRate));

        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((0, 0), (_health.Report().Calls, _health.Report().ErrorRate));
        Assert.NotNull(_health.Report().LastSuccess);
    }

    [Fact]
    public void A_second_s_place_is_taken_over_a_minute_later_without_what_was_there()
    {
        Calls("timeout", "timeout");
        _time.Advance(TimeSpan.FromSeconds(60));
        Calls([null]);

        Assert.Equal((1, 0), (_health.Report().Calls, _health.Report().ErrorRate));
    }

    [Fact]
    public void A_call_on_the_verge_of_a_second_takes_none_of_the_counts_before_with_it()
    {
        var time = new Ticking();
        var health = new DependencyHealth("thing", time, _log);
        End(health, "timeout");

        // The first look at the clock still finds the second of the call before, every other one another.
        time.Step = TimeSpan.FromSeconds(1);
        End(health, failure: null);
        time.Step = TimeSpan.Zero;

        Assert.Equal((2, 0.5), (health.Report().Calls, health.Report().ErrorRate));
    }

    [Fact]
    public void A_call_that_is_left_without_an_outcome_ran_out_of_time()
    {
        using (_health.Begin())
        {
            _time.Advance(TimeSpan.FromSeconds(4));
        }

        Assert.Equal(("timeout", 1), (_health.Report().LastOutcome, _health.Report().Calls));
    }

    [Fact]
    public void A_call_is_measured_once_from_its_beginning_to_its_end()
    {
        var name = $"measured-{Guid.NewGuid():N}";
        using var metrics = new MetricRecorder();
        var health = new DependencyHealth(name, _time, _log);

        using (var call = health.Begin())
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal([1], metrics.Of("gateway.upstream.in_flight", $"upstream={name}"));
            call.End(failure: null);
        }

        using (var call = health.Begin())
        {
            call.End("rejected");
        }

        Assert.Equal([1, -1, 1, -1], metrics.Of("gateway.upstream.in_flight", $"upstream={name}"));
        Assert.Equal([2], metrics.Of("gateway.upstream.duration", $"outcome=ok,upstream={name}"));
        Assert.Equal([0], metrics.Of("gateway.upstream.duration", $"outcome=rejected,upstream={name}"));
    }

    [Fact]
    public async Task However_many_calls_fail_and_succeed_at_once_every_failing_has_its_end()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 20_000), TestContext.Current.CancellationToken, (number, _) =>
        {
            End(_health, number % 7 < 5 ? "timeout" : null);
            return ValueTask.CompletedTask;
        });
        Calls([null]);

        var (began, ended) = (_log.Ids.Count(id => id == Failing), _log.Ids.Count(id => id == Well));
        Assert.True(began > 0);
        Assert.Equal(began, ended);
        Assert.Equal(20_001, _health.Report().Calls);
        Assert.Equal(Enumerable.Range(0, 20_000).Count(number => number % 7 < 5) / 20_001d, _health.Report().ErrorRate);
    }

    private static void End(DependencyHealth health, string? failure)
    {
        using var call = health.Begin();
        call.End(failure);
    }

    private void Calls(params string?[] failures)
    {
        foreach (var failure in failures)
        {
            End(_health, failure);
        }
    }

    /// <summary>A clock that moves by a step after every look at it.</summary>
    private sealed class Ticking : TimeProvider
    {
        private DateTimeOffset _now = new(2025, 1, 1, 0, 0, 10, TimeSpan.Zero);

        public TimeSpan Step { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            var now = _now;
            _now += Step;
            return now;
        }

        public override long GetTimestamp() => 0;
    }
}
