using BenchmarkDotNet.Attributes;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;

namespace Gateway.Benchmarks.Micro;

/// <summary>An answer into bytes that are ready.</summary>
public class WriterBenchmarks
{
    private readonly TimeSpan _now = TimeProvider.System.GetElapsedTime(0);
    private CatalogResponse _response = null!;

    [Params(12, 200)]
    public int Components { get; set; }

    [GlobalSetup]
    public void Setup() => _response = new Sample(Components).Merge();

    [Benchmark]
    public object Identity() => Ready();

    [Benchmark]
    public int Gzip() => Ready().Body(ContentCoding.Gzip).Length;

    [Benchmark]
    public int Brotli() => Ready().Body(ContentCoding.Brotli).Length;

    private RenderedCatalog Ready() => new(new AggregationResult(_response, Problem: null, _now + TimeSpan.FromMinutes(1), Loaded: true, []), _response, _now, epoch: 0);
}
