namespace Gateway.Tests;

/// <summary>A clock that stands still until <see cref="Advance"/>; then every timer due on the way fires, in order, at its own moment.</summary>
internal sealed class ManualTimeProvider : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now = Start;
    private long _sequence;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Timers that are waiting to fire.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_gate)
            {
                return _timers.Count;
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
                return _timers.Count == 0 ? null : _timers.Min(timer => timer.Due) - _now;
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => (GetUtcNow() - Start).Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        DateTimeOffset target;
        lock (_gate)
        {
            target = _now + by;
        }

        while (NextDue(target) is { } timer)
        {
            timer.Fire();
        }

        lock (_gate)
        {
            _now = _now > target ? _now : target;
        }
    }

    /// <summary>Advances in small steps, letting everything else run between them, until the task completes.</summary>
    /// <exception cref="TimeoutException">It did not within <paramref name="atMost"/> (default 10 min) of this clock.</exception>
    public async Task RunUntilAsync(Task task, TimeSpan? step = null, TimeSpan? atMost = null)
    {
        var last = GetUtcNow() + (atMost ?? TimeSpan.FromMinutes(10));
        await SettleAsync(task);
        while (!task.IsCompleted)
        {
            if (GetUtcNow() > last)
            {
                throw new TimeoutException("The task never completed.");
            }

            Advance(step ?? TimeSpan.FromMilliseconds(100));
            await SettleAsync(task);
        }
    }

    public async Task<T> RunUntilAsync<T>(Task<T> task, TimeSpan? step = null, TimeSpan? atMost = null)
    {
        await RunUntilAsync((Task)task, step, atMost);
        return await task;
    }

    /// <summary>Lets what is ready to run do so: the pool is empty and stays empty for a while.</summary>
    public static async Task SettleAsync(Task? until = null)
    {
        for (var quiet = 0; quiet < 100 && until is not { IsCompleted: true };)
        {
            await Task.Yield();
            quiet = ThreadPool.PendingWorkItemCount == 0 ? quiet + 1 : 0;
        }
    }

    private ManualTimer? NextDue(DateTimeOffset target)
    {
        lock (_gate)
        {
            var next = _timers.Where(timer => timer.Due <= target).MinBy(timer => (timer.Due, timer.Sequence));
            if (next is not null)
            {
                _now = next.Due > _now ? next.Due : _now;
                next.Rearm();
            }

            return next;
        }
    }

    private sealed class ManualTimer(ManualTimeProvider owner, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;
        private bool _disposed;

        public DateTimeOffset Due { get; private set; }

        public long Sequence { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._gate)
            {
                if (_disposed)
                {
                    return false;
                }

                owner._timers.Remove(this);
                _period = period;
                if (dueTime == Timeout.InfiniteTimeSpan)
                {
                    return true;
                }

                Arm(owner._now + dueTime);
            }

            if (dueTime == TimeSpan.Zero)
            {
                ThreadPool.QueueUserWorkItem(static self => self.FireWhatIsDue(), this, preferLocal: false);
            }

            return true;
        }

        /// <summary>Called with the owner's gate held, just before it fires.</summary>
        public void Rearm()
        {
            owner._timers.Remove(this);
            if (_period > TimeSpan.Zero)
            {
                Arm(Due + _period);
            }
        }

        public void Fire() => callback(state);

        public void Dispose()
        {
            lock (owner._gate)
            {
                _disposed = true;
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Arm(DateTimeOffset due)
        {
            Due = due;
            Sequence = owner._sequence++;
            owner._timers.Add(this);
        }

        private void FireWhatIsDue() => owner.Advance(TimeSpan.Zero);
    }
}
