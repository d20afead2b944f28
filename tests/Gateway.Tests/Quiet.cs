namespace Gateway.Tests;

/// <summary>Waits for work in the background.</summary>
internal static class Quiet
{
    /// <summary>
    /// Long enough for whatever runs to come to rest: many turns, and at the end nothing waits for a thread of the pool. A thread that
    /// is being kept from running is not seen; where a test can name what it waits for, <see cref="UntilAsync(Func{bool})"/> is certain.
    /// </summary>
    /// <param name="until">No longer than until this is completed.</param>
    public static async Task SettleAsync(Task? until = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (int quiet = 0, turn = 0; until is not { IsCompleted: true } && (quiet < 100 || turn < 10_000 || TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMilliseconds(8)); turn++)
        {
            await Task.Yield();
            quiet = ThreadPool.PendingWorkItemCount == 0 ? quiet + 1 : 0;
        }
    }

    /// <summary>Until this is so, for 10 s of real time at most.</summary>
    public static async Task UntilAsync(Func<bool> isSo)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "It never came to be.");
            await Task.Yield();
        }
    }

    /// <summary>The same of what has to be asked for.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "It never came to be.");
            await Task.Yield();
        }
    }
}
