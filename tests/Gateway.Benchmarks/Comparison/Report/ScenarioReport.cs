using Gateway.Benchmarks.Comparison.Load;

namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>What one scenario found.</summary>
internal sealed class ScenarioReport(string name, string title, string method)
{
    public string Name => name;

    public string Title => title;

    /// <summary>What was done, so that others can judge it.</summary>
    public string Method => method;

    public double LoadBefore { get; } = Machine.LoadAverage();

    public List<Table> Tables { get; } = [];

    public List<Bar> Bars { get; } = [];

    public List<Chart> Charts { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Every turn of every subject, for whoever wants to reckon anew.</summary>
    public List<LoadSeries> Series { get; } = [];
}
