using BenchmarkDotNet.Attributes;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Benchmarks.Micro;

/// <summary>What signs each call to Paymentwall.</summary>
public class SignatureBenchmarks
{
    private readonly KeyValuePair<string, string>[] _parameters =
    [
        new("key", "demo-project-key"), new("ag_external_id", "some_product-c7-EUR-monthly"), new("country_code", "DE"), new("sign_version", "3"),
    ];

    [Params(2, 3)]
    public int Version { get; set; }

    [Benchmark]
    public string Compute() => PaymentwallSignature.Compute(_parameters, "demo-project-secret", Version);
}
