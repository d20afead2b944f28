namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>What is to be reached, and whether it was.</summary>
/// <param name="What">The figure, in words.</param>
/// <param name="Value">As measured.</param>
/// <param name="Limit">What it is held against.</param>
/// <param name="AtLeast">The limit is the least; else it is the most.</param>
/// <param name="Unit">Empty for a ratio or a count.</param>
/// <param name="IsStretch">Nice to have.</param>
internal sealed record Bar(string What, double Value, double Limit, bool AtLeast = false, string Unit = "", bool IsStretch = false)
{
    public bool Met => AtLeast ? Value >= Limit : Value <= Limit;

    public string Verdict => Met ? "met"
        : Unit.Length > 0 || Limit == 0 ? Invariant($"missed by {Math.Abs(Value - Limit):0.###}{Unit}")
        : Invariant($"missed by {Math.Abs(Value - Limit) / Limit:0.0%}");
}
