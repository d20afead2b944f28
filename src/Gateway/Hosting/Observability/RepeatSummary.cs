using Gateway.Telemetry;
using Serilog.Core;
using Serilog.Debugging;
using Serilog.Events;
using Serilog.Parsing;

namespace Gateway.Hosting.Observability;

/// <summary>
/// Lets the first lines of a kind of warning or error through, counts those that follow within the window, and says their number in
/// one line when it is over: a burst of one failure must not bury the others. A kind is a message template of a source, and where it
/// names an upstream, of that upstream.
/// </summary>
internal sealed class RepeatSummary : ILogEventSink, IDisposable
{
    internal const int LinesPerWindow = 5;

    internal static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Kinds that are told apart at a time. What a library writes with its values in the template is a kind of its own each time;
    /// beyond this such lines are written and not remembered.
    /// </summary>
    internal const int MostKinds = 1_000;

    private static readonly MessageTemplate Template = new MessageTemplateParser().Parse("{Count} more lines like this within {Seconds} s: {Repeated:l}");

    private readonly ILogEventSink _inner;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Source, string Template, string Upstream), Burst> _bursts = [];
    private readonly ITimer _timer;

    public RepeatSummary(ILogEventSink inner, TimeProvider time)
    {
        _inner = inner;
        _time = time;
        _timer = time.CreateTimer(_ => Close(all: false), state: null, Window, Window / 10);
    }

    internal int Kinds
    {
        get
        {
            lock (_gate)
            {
                return _bursts.Count;
            }
        }
    }

    public void Emit(LogEvent logEvent)
    {
        if (logEvent.Level < LogEventLevel.Warning || IsAllowed(logEvent))
        {
            _inner.Emit(logEvent);
        }
    }

    /// <summary>Says what is still to be said.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        Close(all: true);
        (_inner as IDisposable)?.Dispose();
    }

    private bool IsAllowed(LogEvent logEvent)
    {
        var kind = (Text(logEvent, Constants.SourceContextPropertyName), logEvent.MessageTemplate.Text, Text(logEvent, "Upstream"));
        lock (_gate)
        {
            if (!_bursts.TryGetValue(kind, out var burst))
            {
                if (_bursts.Count >= MostKinds)
                {
                    return true;
                }

                _bursts.Add(kind, burst = new Burst(_time.GetTimestamp()));
            }

            burst.Last = logEvent;
            if (++burst.Lines <= LinesPerWindow)
            {
                return true;
            }
        }

        Metrics.LogLinesSummedUp.Add(1);
        return false;
    }

    private static string Text(LogEvent logEvent, string property) =>
        logEvent.Properties.GetValueOrDefault(property) is ScalarValue { Value: string text } ? text : string.Empty;

    private void Close(bool all)
    {
        List<Burst> over = [];
        lock (_gate)
        {
            foreach (var (kind, burst) in _bursts.Where(pair => all || _time.GetElapsedTime(pair.Value.Began) >= Window).ToList())
            {
                _bursts.Remove(kind);
                over.Add(burst);
            }
        }

        foreach (var burst in over.Where(burst => burst.Lines > LinesPerWindow))
        {
            var (last, count) = (burst.Last!, burst.Lines - LinesPerWindow);
            EmitSafely(new LogEvent(
                _time.GetUtcNow(),
                last.Level,
                exception: null,
                Template,
                [
                    new LogEventProperty("Count", new ScalarValue(count)),
                    new LogEventProperty("Seconds", new ScalarValue((int)Math.Ceiling(_time.GetElapsedTime(burst.Began).TotalSeconds))),
                    new LogEventProperty("Repeated", new ScalarValue(last.RenderMessage(System.Globalization.CultureInfo.InvariantCulture))),
                    .. last.Properties.Where(property => property.Key == Constants.SourceContextPropertyName).Select(property => new LogEventProperty(property.Key, property.Value)),
                ]));
        }
    }

    /// <summary>On a timer, where an exception would end the process; of what is emitted by a caller Serilog catches it.</summary>
    private void EmitSafely(LogEvent logEvent)
    {
        try
        {
            _inner.Emit(logEvent);
        }
        catch (Exception exception)
        {
            SelfLog.WriteLine("A line that sums up others was lost: {0}", exception);
        }
    }

    private sealed class Burst(long began)
    {
        public long Began => began;

        public int Lines { get; set; }

        public LogEvent? Last { get; set; }
    }
}
