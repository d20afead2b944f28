using System.Runtime.InteropServices;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A stretch of time, its end excluded. One that ends before it starts is empty.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TimeRange(DateTimeOffset Start, DateTimeOffset End)
{
    public TimeSpan Length => End > Start ? End - Start : TimeSpan.Zero;

    /// <summary>What of it lies within <paramref name="other"/>.</summary>
    public TimeRange Within(TimeRange other) =>
        new(Start > other.Start ? Start : other.Start, End < other.End ? End : other.End);
}
