using BenchmarkDotNet.Attributes;
using Gateway.Benchmarks.Subjects;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Benchmarks.Micro;

/// <summary>The upstreams' bodies into what the gateway knows of them.</summary>
public class ReaderBenchmarks
{
    private readonly byte[] _twelve = UpstreamSubject.ListBody(Sample.Product, 12);
    private readonly byte[] _twoHundred = UpstreamSubject.ListBody(Sample.Product, 200);
    private readonly byte[] _price = UpstreamSubject.PriceBody(7);

    [Benchmark]
    public object? BillingOf12() => BillingPayload.Read(_twelve, Sample.Product);

    [Benchmark]
    public object? BillingOf200() => BillingPayload.Read(_twoHundred, Sample.Product);

    [Benchmark]
    public object? Paymentwall() => PaymentwallPayload.Read(_price).Product;
}
