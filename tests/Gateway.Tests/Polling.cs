namespace Gateway.Tests;

/// <summary>
/// For what looks again and again, on a test clock, at something outside that answers in real time. The clock advances only while
/// the next look is waited for: however long the answer takes, it costs no time of this clock.
/// </summary>
internal static class Polling
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>So many looks.</summary>
    public static async Task PollAsync(this TestClock time, int times)
    {
        for (var look = 0; look < times; look++)
        {
            await Quiet.UntilAsync(() => time.NextTimer <= Interval);
            time.Advance(Interval);
        }
    }

    public static async Task<T> PollUntilAsync<T>(this TestClock time, Task<T> task)
    {
        while (!task.IsCompleted)
        {
            await Quiet.UntilAsync(() => task.IsCompleted || time.NextTimer <= Interval);
            if (!task.IsCompleted)
            {
                time.Advance(Interval);
            }
        }

        return await task;
    }
}
