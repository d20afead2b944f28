using BenchmarkDotNet.Attributes;

namespace Gateway.Benchmarks.Micro;

/// <summary>Components and prices into an answer.</summary>
public class MergeBenchmarks
{
    private Sample _sample = null!;

    [Params(12, 200)]
    public int Components { get; set; }

    [GlobalSetup]
    public void Setup() => _sample = new Sample(Components);

    [Benchmark]
    public object Merge() => _sample.Merge();
}
