namespace Gateway.Observability;

/// <summary>
/// How a system behind the gateway is doing, seen from this replica's calls to it: when it last answered well, how many of the calls
/// of the last minute failed, and one log line when it begins to fail and one when it is well again.
/// </summary>
/// <param name="name">Lower case, as in metrics.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">For the two lines.</param>
internal sealed partial class DependencyHealth(string name, TimeProvider time, ILogger logger)
{
    /// <summary>So many failures in a row are not chance.</summary>
    private const int FailuresInARow = 3;

    private const int WindowSeconds = 60;

    private readonly TimeProvider _time = time;
    private readonly Lock _gate = new();
    private readonly (long Second, int Calls, int Failures)[] _window = new (long, int, int)[WindowSeconds];
    private DateTimeOffset? _lastSuccess;
    private DateTimeOffset? _lastFailure;
    private string? _lastOutcome;
    private int _inARow;
    private bool _isFailing;

    public string Name => name;

    /// <summary>More exactly than the outcome what the last failed call met: such as <c>connectionRefused</c>, a status, the vendor's error code.</summary>
    public string? LastCause { get; set; }

    /// <summary>The outcome that opened the circuit; null while it is closed.</summary>
    public string? CircuitOpenedBy { get; set; }

    /// <summary>Level of a line about one failed call: once the outage itself has been logged, further failures are Debug.</summary>
    public LogLevel FailureLevel => Volatile.Read(ref _isFailing) ? LogLevel.Debug : LogLevel.Warning;

    /// <summary>A call under way; disposing of it without an outcome means that its time ran out.</summary>
    public Call Begin() => new(this);

    /// <summary>What the last minute was like.</summary>
    public DependencyReport Report()
    {
        lock (_gate)
        {
            var now = Second();
            var recent = _window.Where(slot => slot.Calls > 0 && now - slot.Second < WindowSeconds).ToList();
            var calls = recent.Sum(slot => slot.Calls);
            return new DependencyReport(
                _isFailing, _lastSuccess, _lastFailure, _lastOutcome, calls, calls == 0 ? 0 : (double)recent.Sum(slot => slot.Failures) / calls, LastCause, CircuitOpenedBy);
        }
    }

    private long Second() => (long)_time.Monotonic().TotalSeconds;

    private void Record(string? failure)
    {
        bool began, ended;
        lock (_gate)
        {
            // Looked at once: a second that begins in between must not cost the one before its counts.
            var second = Second();
            ref var slot = ref _window[second % WindowSeconds];
            if (slot.Second != second)
            {
                slot = (second, 0, 0);
            }

            slot.Calls++;
            if (failure is null)
            {
                _lastSuccess = _time.GetUtcNow();
                _inARow = 0;
                (began, ended, _isFailing) = (false, _isFailing, false);
            }
            else
            {
                slot.Failures++;
                (_lastFailure, _lastOutcome) = (_time.GetUtcNow(), failure);
                began = ++_inARow >= FailuresInARow && !_isFailing;
                (ended, _isFailing) = (false, _isFailing || began);
            }
        }

        if (began)
        {
            Log.Failing(logger, name, FailuresInARow, failure!);
        }
        else if (ended)
        {
            Log.Well(logger, name);
        }
    }

    /// <summary>One call, from its beginning to its outcome.</summary>
    internal sealed class Call : IDisposable
    {
        private readonly DependencyHealth _health;
        private readonly long _started;
        private string? _outcome = "timeout";

        public Call(DependencyHealth health)
        {
            _health = health;
            _started = health._time.GetTimestamp();
            Metrics.UpstreamInFlight.Add(1, Metrics.Tag("upstream", health.Name));
        }

        /// <param name="failure">Null if it went well.</param>
        public void End(string? failure) => _outcome = failure;

        public void Dispose()
        {
            Metrics.UpstreamInFlight.Add(-1, Metrics.Tag("upstream", _health.Name));
            Metrics.UpstreamDuration.Record(
                _health._time.GetElapsedTime(_started).TotalSeconds, Metrics.Tag("upstream", _health.Name), Metrics.Tag("outcome", _outcome ?? "ok"));
            _health.Record(_outcome);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1901, LogLevel.Warning, "{Upstream} is failing: {Failures} calls in a row, the last one with {Outcome}")]
        public static partial void Failing(ILogger logger, string upstream, int failures, string outcome);

        [LoggerMessage(1902, LogLevel.Information, "{Upstream} is well again")]
        public static partial void Well(ILogger logger, string upstream);
    }
}

/// <summary>What <see cref="DependencyHealth"/> knows.</summary>
/// <param name="IsFailing">The last calls failed, several in a row.</param>
/// <param name="LastSuccess">Null: none since the start.</param>
/// <param name="LastFailure">Null: none since the start.</param>
/// <param name="LastOutcome">What the last failure was.</param>
/// <param name="Calls">In the last minute.</param>
/// <param name="ErrorRate">Share of them that failed, 0 to 1.</param>
/// <param name="LastCause">What the last failed call met.</param>
/// <param name="CircuitOpenedBy">The outcome that opened the circuit; null while it is closed.</param>
internal sealed record DependencyReport(
    bool IsFailing, DateTimeOffset? LastSuccess, DateTimeOffset? LastFailure, string? LastOutcome, int Calls, double ErrorRate, string? LastCause = null, string? CircuitOpenedBy = null);
