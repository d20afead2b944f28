using System.Diagnostics;
using Gateway.Observability;

namespace Gateway.Tests.Caching;

/// <summary>Counts the commands to Redis for what the test asks for from here on, by their spans.</summary>
internal sealed class CommandSpans : IDisposable
{
    private readonly Activity _question = new Activity("question").Start();
    private readonly ActivityListener _listener;
    private int _begun;
    private int _ended;

    public CommandSpans()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == Metrics.Name,
            Sample = (ref options) => options.TraceId == _question.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStarted = _ => Interlocked.Increment(ref _begun),
            ActivityStopped = _ => Interlocked.Increment(ref _ended),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public int Begun => Volatile.Read(ref _begun);

    public int Ended => Volatile.Read(ref _ended);

    public void Dispose()
    {
        _listener.Dispose();
        _question.Dispose();
    }
}
