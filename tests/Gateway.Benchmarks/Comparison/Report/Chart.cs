namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>One bar for each subject.</summary>
/// <param name="Name">Of the file.</param>
/// <param name="Title">What is shown.</param>
/// <param name="Unit">Of the values, and which way is better.</param>
/// <param name="Values">From top to bottom.</param>
internal sealed record Chart(string Name, string Title, string Unit, IReadOnlyList<ChartValue> Values);

/// <summary>A subject's value; that of the gateway stands out.</summary>
internal sealed record ChartValue(string Label, double Value)
{
    public bool IsGateway => Label.StartsWith("gateway", StringComparison.Ordinal);
}
