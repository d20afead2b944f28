namespace Gateway.Tests;

/// <summary>The clock that other tests trust.</summary>
public sealed class ManualTimeProviderTests
{
    [Fact]
    public void Timers_fire_in_the_order_they_are_due_each_at_its_own_moment()
    {
        var time = new ManualTimeProvider();
        var start = time.GetUtcNow();
        var fired = new List<(string Name, TimeSpan At)>();
        using var late = time.CreateTimer(_ => fired.Add(("late", time.GetUtcNow() - start)), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        using var early = time.CreateTimer(_ => fired.Add(("early", time.GetUtcNow() - start)), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(
            [("early", TimeSpan.FromSeconds(1)), ("early", TimeSpan.FromSeconds(2)), ("late", TimeSpan.FromSeconds(3)), ("early", TimeSpan.FromSeconds(3))],
            fired);
        Assert.Equal(TimeSpan.FromSeconds(3), time.GetElapsedTime(0));
    }

    [Fact]
    public void A_disposed_or_stopped_timer_does_not_fire()
    {
        var time = new ManualTimeProvider();
        var fired = 0;
        var disposed = time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        disposed.Dispose();
        using var stopped = time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(0, fired);
        Assert.Equal(0, time.PendingTimers);
        Assert.False(disposed.Change(TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public async Task A_deadline_cancels_when_its_time_has_come_and_not_before()
    {
        var time = new ManualTimeProvider();
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);

        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(deadline.IsCancellationRequested);

        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(deadline.IsCancellationRequested);

        await time.RunUntilAsync(Task.Delay(TimeSpan.FromMinutes(1), time, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<TimeoutException>(() => time.RunUntilAsync(new TaskCompletionSource().Task, TimeSpan.FromSeconds(10)));
    }
}
