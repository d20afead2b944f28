namespace Gateway.Simulator.Requests;

/// <summary>What reached one upstream since the last clear: counts, the last requests, the most in flight at once.</summary>
internal sealed class RequestLog(TimeProvider timeProvider)
{
    public const int Capacity = 5_000;

    private readonly Lock _gate = new();
    private readonly Queue<RequestRecord> _recent = new();
    private readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private int _inFlight;
    private int _inFlightMax;

    public RequestRecord Begin(HttpRequest request, string endpoint)
    {
        var (path, query) = RequestTarget.Split(request);
        var record = new RequestRecord
        {
            Method = request.Method,
            Path = path,
            RawQuery = query,
            Headers = request.Headers.ToDictionary(
                h => h.Key, h => h.Value.Select(v => v ?? "").ToArray(), StringComparer.OrdinalIgnoreCase),
            ReceivedAt = timeProvider.GetUtcNow(),
        };
        lock (_gate)
        {
            if (_recent.Count == Capacity)
            {
                _recent.Dequeue();
            }

            _recent.Enqueue(record);
            _counts[endpoint] = _counts.GetValueOrDefault(endpoint) + 1;
            _inFlightMax = Math.Max(_inFlightMax, ++_inFlight);
        }

        return record;
    }

    /// <summary>No longer in flight; only the first call for a record counts.</summary>
    public void End(RequestRecord record)
    {
        if (record.TryEnd())
        {
            lock (_gate)
            {
                _inFlight--;
            }
        }
    }

    /// <summary>To be said before the connection is cut, so that a client who notices finds it in the log.</summary>
    public void Abort(RequestRecord record)
    {
        record.Aborted = true;
        End(record);
    }

    public void Clear()
    {
        lock (_gate)
        {
            _recent.Clear();
            _counts.Clear();
            _inFlightMax = _inFlight;
        }
    }

    public (IReadOnlyDictionary<string, int> Counts, int InFlightMax) Totals()
    {
        lock (_gate)
        {
            return (new SortedDictionary<string, int>(_counts, StringComparer.Ordinal), _inFlightMax);
        }
    }

    public RequestRecord[] Recent()
    {
        lock (_gate)
        {
            return [.. _recent];
        }
    }
}
