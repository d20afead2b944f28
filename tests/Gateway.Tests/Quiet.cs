namespace Gateway.Tests;

/// <summary>Waits for work in the background that the test can see no other end of.</summary>
internal static class Quiet
{
    /// <summary>
    /// No work waits for a thread of the pool and none runs on one, for a while. Where something else keeps a thread for good, as a
    /// test host may, that is the best there is after many turns.
    /// </summary>
    public static async Task SettleAsync()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        for (int quiet = 0, turn = 0; quiet < 100 && turn < 20_000; turn++)
        {
            await Task.Yield();
            ThreadPool.GetAvailableThreads(out var idle, out _);
            var busy = most - idle - (Thread.CurrentThread.IsThreadPoolThread ? 1 : 0);
            quiet = ThreadPool.PendingWorkItemCount == 0 && busy <= 0 ? quiet + 1 : 0;
        }
    }
}
