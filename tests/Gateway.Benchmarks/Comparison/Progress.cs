namespace Gateway.Benchmarks.Comparison;

/// <summary>What is said on the way.</summary>
internal static class Progress
{
    public static void Say(FormattableString text) => Console.WriteLine(Invariant(text));
}
