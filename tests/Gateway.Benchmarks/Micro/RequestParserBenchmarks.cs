using BenchmarkDotNet.Attributes;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Customer;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Gateway.Benchmarks.Micro;

/// <summary>Parses a request, its query included, and makes the key that its rendered catalog is kept under.</summary>
public class RequestParserBenchmarks
{
    private static readonly QueryString[] Queries = [new("?product=some_product&country=DE"), new("?product=some_product&country=FR")];

    private readonly DefaultHttpContext _context = new();
    private readonly CatalogRequestParser _reader = new(
        Options.Create(new CatalogOptions()), new CustomerCountry(Options.Create(new CatalogOptions { DefaultCountry = "US" })));

    private int _turn;

    [Benchmark]
    public string Read()
    {
        // Another one each time: the same query would be parsed once and kept.
        _context.Request.QueryString = Queries[_turn++ & 1];
        return _reader.Parse(_context.Request, productId: null, out var request) is null ? request!.Key : throw new InvalidOperationException("The request is sound.");
    }
}
