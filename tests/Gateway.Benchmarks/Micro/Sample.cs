using Gateway.Benchmarks.Subjects;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Benchmarks.Micro;

/// <summary>A product as the fast upstream has it, read by the gateway's own readers.</summary>
internal sealed class Sample
{
    public Sample(int components)
    {
        ListBody = UpstreamSubject.ListBody(Product, components);
        Components = BillingPayload.Read(ListBody, Product)!;
        Prices = Components.Index().ToDictionary(one => one.Item.Id, one => Price(one.Index), StringComparer.Ordinal);
        Question = new CatalogRequest { Products = [Product], Country = "DE", CountrySource = CountrySource.Query };
        Rules = new CatalogRules(Options.Create(new CatalogOptions()));
    }

    public const string Product = "some_product";

    public byte[] ListBody { get; }

    public IReadOnlyList<BillingComponent> Components { get; }

    public Dictionary<string, UpstreamResult<PaymentwallProduct?>> Prices { get; }

    public CatalogRequest Question { get; }

    public CatalogRules Rules { get; }

    public CatalogResponse Merge() => CatalogMerge.Merge(Question, [new ProductListing(Product, Components)], Prices, Rules);

    private static UpstreamResult<PaymentwallProduct?> Price(int number) => PaymentwallPayload.Read(UpstreamSubject.PriceBody(number)) is { Failure: null } reading
        ? UpstreamResult.Of(reading.Product)
        : throw new InvalidOperationException("The sample cannot be read.");
}
