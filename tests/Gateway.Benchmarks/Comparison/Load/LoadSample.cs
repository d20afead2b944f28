namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>One turn of one subject.</summary>
/// <param name="Requests">Answered.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Errors">Answers that were no success, and connections that broke or were not answered.</param>
/// <param name="P50">Half were answered within this, in milliseconds.</param>
/// <param name="P99">99 of 100 were.</param>
/// <param name="ProcessorMicroseconds">Per request, of the subject's process.</param>
/// <param name="Lists">Calls to Billing per request.</param>
/// <param name="Prices">Calls to Paymentwall per request.</param>
internal sealed record LoadSample(
    long Requests, double Seconds, long Errors, double P50, double P99, double ProcessorMicroseconds, double Lists, double Prices)
{
    public double RequestsPerSecond => Requests / Seconds;
}
