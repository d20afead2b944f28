using Microsoft.Extensions.Internal;

namespace Gateway.Observability;

/// <summary>
/// The two clocks of a process. Ages, pauses and deadlines are measured by the monotonic one, which nobody can set: as a
/// <see cref="TimeSpan"/>. Wall time, a <see cref="DateTimeOffset"/>, is for what is shared with others or shown. So the compiler keeps
/// them apart.
/// </summary>
internal static class MonotonicTime
{
    /// <summary>How far clocks of replicas may differ without what one of them wrote being taken for something from the future.</summary>
    internal static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Now, since a moment that is the same for the whole life of the process.</summary>
    public static TimeSpan Monotonic(this TimeProvider time) => time.GetElapsedTime(0);

    /// <summary>How old is what another process, or this one before its clock was set, wrote then; null if then is in the future.</summary>
    public static TimeSpan? AgeOf(this TimeProvider time, DateTimeOffset then)
    {
        var age = time.GetUtcNow() - then;
        return age >= TimeSpan.Zero ? age : age >= -ClockTolerance ? TimeSpan.Zero : null;
    }
}

/// <summary>
/// For libraries that reckon ages by the wall time of the clock that they are given: theirs cannot be set either. It begins in 1970, so
/// that nobody takes it for the date.
/// </summary>
internal sealed class MonotonicTimeProvider(TimeProvider time) : TimeProvider, ISystemClock
{
    public override long TimestampFrequency => time.TimestampFrequency;

    public DateTimeOffset UtcNow => GetUtcNow();

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + time.Monotonic();

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => time.CreateTimer(callback, state, dueTime, period);
}
