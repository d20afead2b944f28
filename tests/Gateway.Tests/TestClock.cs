using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests;

/// <summary>A clock that stands still until it is advanced, whose wall time can be set apart from it, and that knows which timers wait for it.</summary>
internal sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero))
{
    /// <summary>A thread that a busy machine keeps waiting misses little of this clock.</summary>
    private static readonly TimeSpan MostAtOnce = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly HashSet<TrackedTimer> _pending = [];
    private TimeSpan _wallIsOff;

    private DateTimeOffset Steady => base.GetUtcNow();

    /// <summary>Timers that are waiting to fire.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>How long until the next timer fires; null if none is waiting.</summary>
    public TimeSpan? NextTimer
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count == 0 ? null : _pending.Min(timer => timer.Due) - Steady;
            }
        }
    }

    /// <summary>Somebody sets the wall clock forward or back; what is measured by the monotonic clock, timers included, does not notice.</summary>
    public void SetWall(TimeSpan forward) => _wallIsOff += forward;

    public override DateTimeOffset GetUtcNow() => Steady + _wallIsOff;

    /// <summary>Since a day before the clock was made: so few ticks are exact in what is reckoned with them, however that is done.</summary>
    public override long GetTimestamp() => (Steady - Start + TimeSpan.FromDays(1)).Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new TrackedTimer(this);
        timer.Begin(fired => base.CreateTimer(fired, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan), callback);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes from timer to timer, in small steps, letting everything else run in between, until the task completes.</summary>
    /// <exception cref="TimeoutException">It did not within <paramref name="atMost"/> (default 10 min) of this clock.</exception>
    public async Task RunUntilAsync(Task task, TimeSpan? atMost = null)
    {
        var last = Steady + (atMost ?? TimeSpan.FromMinutes(10));
        await Quiet.SettleAsync(task);
        while (!task.IsCompleted)
        {
            if (Steady > last)
            {
                throw new TimeoutException("The task never completed.");
            }

            Advance(NextTimer is { Ticks: > 0 } next && next < MostAtOnce ? next : MostAtOnce);
            await Quiet.SettleAsync(task);
        }
    }

    public async Task<T> RunUntilAsync<T>(Task<T> task, TimeSpan? atMost = null)
    {
        await RunUntilAsync((Task)task, atMost);
        return await task;
    }

    private sealed class TrackedTimer(TestClock clock) : ITimer
    {
        private ITimer _timer = null!;
        private TimeSpan _period;

        public DateTimeOffset Due { get; private set; }

        public void Begin(Func<TimerCallback, ITimer> create, TimerCallback callback) => _timer = create(state =>
        {
            Await(_period);
            callback(state);
        });

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Await(dueTime == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : dueTime);
            return _timer.Change(dueTime, period);
        }

        public void Dispose()
        {
            Await(Timeout.InfiniteTimeSpan);
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Await(TimeSpan dueTime)
        {
            lock (clock._gate)
            {
                clock._pending.Remove(this);
                if (dueTime > TimeSpan.Zero)
                {
                    Due = clock.Steady + dueTime;
                    clock._pending.Add(this);
                }
            }
        }
    }
}
