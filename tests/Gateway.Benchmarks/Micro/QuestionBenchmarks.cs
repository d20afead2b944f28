using BenchmarkDotNet.Attributes;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Gateway.Benchmarks.Micro;

/// <summary>A request into the question that it asks, its query parsed on the way, and the key that the answer is kept under.</summary>
public class QuestionBenchmarks
{
    private static readonly QueryString[] Queries = [new("?product=some_product&country=DE"), new("?product=some_product&country=FR")];

    private readonly DefaultHttpContext _context = new();
    private readonly CatalogQuestionReader _reader = new(
        Options.Create(new CatalogOptions()), new CustomerCountry(Options.Create(new CatalogOptions { DefaultCountry = "US" })));

    private int _turn;

    [Benchmark]
    public string Read()
    {
        // Another one each time: the same query would be parsed once and kept.
        _context.Request.QueryString = Queries[_turn++ & 1];
        return _reader.Read(_context.Request, productId: null, out var question) is null ? question!.Key : throw new InvalidOperationException("The question is sound.");
    }
}
