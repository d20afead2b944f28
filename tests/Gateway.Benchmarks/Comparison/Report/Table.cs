namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>Rows of text under a head.</summary>
internal sealed record Table(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, string? Title = null);
