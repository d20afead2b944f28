namespace Gateway.Upstreams;

/// <summary>
/// Keeps retries from doubling the load on an upstream that is down: every call earns a tenth of a retry, every retry costs one,
/// and at most ten are saved up. The same idea as gRPC's retry throttling.
/// </summary>
internal sealed class RetryBudget
{
    private const int Full = 100;
    private const int EarnedPerCall = 1;
    private const int CostOfRetry = 10;

    private int _tenths = Full;

    /// <summary>A first attempt was made.</summary>
    public void Earn() => Change(EarnedPerCall);

    /// <summary>Takes one retry out of the budget; false if there is none left.</summary>
    public bool TrySpend() => Change(-CostOfRetry);

    private bool Change(int by)
    {
        while (true)
        {
            var seen = Volatile.Read(ref _tenths);
            var next = Math.Min(Full, seen + by);
            if (next < 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _tenths, next, seen) == seen)
            {
                return true;
            }
        }
    }
}
