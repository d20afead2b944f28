namespace Gateway.Benchmarks.Subjects;

/// <summary>How often the upstream was called.</summary>
internal sealed record UpstreamCalls(long Lists, long Prices, long Others);
