using System.Text;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace Gateway.Hosting.Observability;

/// <summary>
/// Writes lines as UTF-8, those of some milliseconds together, by a thread of its own: no request waits for whoever reads the log, and
/// a write to a pipe costs more than the line. A warning or worse is written at once, with all that came before it. What comes in faster
/// than it can be written waits. What is left is written at the end of the process, if whoever reads it does so within a second; a process
/// that is killed or breaks loses it.
/// </summary>
internal sealed class StandardOutput : ILogEventSink, IDisposable
{
    /// <summary>What a line may wait for others.</summary>
    internal static readonly TimeSpan Together = TimeSpan.FromMilliseconds(10);

    /// <summary>What the end of the process waits for the last lines.</summary>
    private static readonly TimeSpan LastWrite = TimeSpan.FromSeconds(1);

    /// <summary>Bytes that wait; beyond it who logs writes.</summary>
    private const int MostWaiting = 256 * 1024;

    [ThreadStatic]
    private static LineWriter? t_line;

    private readonly ITextFormatter _formatter;
    private readonly Stream _output;
    private readonly Lock _writing = new();
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _some = new(initialState: false);

    /// <summary>Is waited for a hundred times a second and set once: not worth spinning for.</summary>
    private readonly ManualResetEventSlim _over = new(initialState: false, spinCount: 0);

    private readonly Thread _thread;
    private byte[] _waiting = new byte[16 * 1024];
    private byte[] _spare = new byte[16 * 1024];
    private int _length;

    public StandardOutput(ITextFormatter formatter, Stream output)
    {
        _formatter = formatter;
        _output = output;
        _thread = new Thread(Run) { IsBackground = true, Name = "log" };
        _thread.Start();
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public void Emit(LogEvent logEvent)
    {
        // What is logged while a line is being made takes another.
        var line = t_line ?? new LineWriter();
        t_line = null;
        _formatter.Format(logEvent, line);
        bool isFirst, isUrgent;
        lock (_gate)
        {
            isFirst = _length == 0;
            var most = _length + Encoding.UTF8.GetMaxByteCount(line.Written.Length);
            if (most > _waiting.Length)
            {
                Array.Resize(ref _waiting, Math.Max(2 * _waiting.Length, most));
            }

            _length += Encoding.UTF8.GetBytes(line.Written, _waiting.AsSpan(_length));
            isUrgent = logEvent.Level >= LogEventLevel.Warning || _length > MostWaiting || _over.IsSet;
        }

        line.Clear();
        t_line = line;
        if (isUrgent)
        {
            Flush();
        }
        else if (isFirst)
        {
            _some.Set();
        }
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        OnExit(this, EventArgs.Empty);
    }

    private void OnExit(object? sender, EventArgs args)
    {
        // The thread writes what is left. Whoever reads may have stopped, and must not keep the process from ending.
        _over.Set();
        _some.Set();
        _thread.Join(LastWrite);
    }

    private void Run()
    {
        while (!_over.IsSet)
        {
            _some.WaitOne();
            _over.Wait(Together);
            Flush();
        }
    }

    /// <summary>Everything that waits, in order.</summary>
    private void Flush()
    {
        lock (_writing)
        {
            byte[] lines;
            int length;
            lock (_gate)
            {
                (lines, length) = (_waiting, _length);
                (_waiting, _length) = (_spare, 0);
            }

            // Given back after a burst.
            _spare = lines.Length > 2 * MostWaiting ? new byte[16 * 1024] : lines;
            if (length == 0)
            {
                return;
            }

            try
            {
                _output.Write(lines, 0, length);
            }
            catch (Exception)
            {
                // Nobody reads any more, or nobody may write: no reason to stop.
            }
        }
    }
}
