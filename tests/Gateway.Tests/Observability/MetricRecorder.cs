using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Gateway.Observability;

namespace Gateway.Tests.Observability;

/// <summary>Listens to the gateway's instruments while it lives, as an exporter would.</summary>
internal sealed class MetricRecorder : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, string Tags)> _seen = new();

    public MetricRecorder()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Metrics.Name)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The measurements of an instrument with exactly these tags (<c>name=value</c>, comma separated, by name), in order.</summary>
    public IReadOnlyList<double> Of(string name, string tags = "") => [.. _seen.Where(one => one.Name == name && one.Tags == tags).Select(one => one.Value)];

    /// <summary>Every combination of tags that an instrument was used with.</summary>
    public IReadOnlyList<string> TagsOf(string name) => [.. _seen.Where(one => one.Name == name).Select(one => one.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Looks at the gauges.</summary>
    public void Collect() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var names = new List<string>();
        foreach (var (name, tag) in tags)
        {
            names.Add($"{name}={tag}");
        }

        _seen.Enqueue((instrument.Name, value, string.Join(',', names.Order(StringComparer.Ordinal))));
    }
}
