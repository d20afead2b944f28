using System.Text.Json;

namespace Gateway.Simulator.Faults;

/// <summary>
/// The faults of one upstream, in order. A request is given to the first that matches it and has nothing left to skip; those
/// behind it neither see nor count that request, those before it have used up one of their skips.
/// </summary>
internal sealed class FaultBoard
{
    private readonly Lock _gate = new();
    private List<Entry> _entries = [];
    private TaskCompletionSource _cleared = New();

    public void Replace(IReadOnlyList<Fault> faults)
    {
        TaskCompletionSource cleared;
        lock (_gate)
        {
            _entries = [.. faults.Select(fault => new Entry(fault))];
            cleared = _cleared;
            _cleared = New();
        }

        cleared.SetResult();
    }

    /// <summary>The fault for a request, and the end of the board that it stands on.</summary>
    public (Fault Fault, Task Cleared)? Take(string rawTarget)
    {
        lock (_gate)
        {
            if (_entries.Count == 0)
            {
                return null;
            }

            var decoded = Uri.UnescapeDataString(rawTarget.Replace('+', ' '));
            foreach (var entry in _entries)
            {
                if (entry.Fault.Match is { } match
                    && !rawTarget.Contains(match, StringComparison.Ordinal) && !decoded.Contains(match, StringComparison.Ordinal))
                {
                    continue;
                }

                if (entry.SkipLeft > 0)
                {
                    entry.SkipLeft--;
                    continue;
                }

                if (--entry.TimesLeft == 0)
                {
                    _entries.Remove(entry);
                }

                return (entry.Fault, _cleared.Task);
            }

            return null;
        }
    }

    /// <summary>What still stands, with what is left of times and skip.</summary>
    public JsonElement[] ToJson()
    {
        lock (_gate)
        {
            return [.. _entries.Select(entry => entry.Fault.ToJson(entry.TimesLeft, entry.SkipLeft))];
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Entry(Fault fault)
    {
        public Fault Fault { get; } = fault;

        public int? TimesLeft { get; set; } = fault.Times;

        public int SkipLeft { get; set; } = fault.Skip ?? 0;
    }
}
