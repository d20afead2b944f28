using System.Text;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Catalog;

/// <summary>What most catalog tests begin with.</summary>
internal static class Given
{
    public static CatalogRequest Request(params string[] products) => new()
    {
        Products = products.Length > 0 ? products : ["p"],
        Country = "US",
        CountrySource = CountrySource.Query,
        Language = "en",
    };

    public static BillingComponent Component(string id = "c", string productId = "p") => new() { Id = id, ProductId = productId };

    public static Money Money(string amount, string currency) =>
        Currency.TryGet(currency, out var known) && Read(amount, known) is { } money ? money : throw new ArgumentException(amount, nameof(amount));

    public static PaymentwallProduct Product(string amount = "9.99", string currency = "USD") => new() { Price = Money(amount, currency) };

    public static Period Period(string unit, int count) => Gateway.Iso.Period.TryCreate(unit, count, out var period) ? period : throw new ArgumentException(unit, nameof(unit));

    public static CatalogRules Rules(Action<CatalogOptions>? change = null)
    {
        var options = new CatalogOptions();
        change?.Invoke(options);
        return new CatalogRules(Fixed.Options(options));
    }

    public static UpstreamResult<PaymentwallProduct?> Found(PaymentwallProduct product) => UpstreamResult.Of<PaymentwallProduct?>(product);

    public static UpstreamResult<PaymentwallProduct?> NotFound() => UpstreamResult.Of<PaymentwallProduct?>(null);

    public static UpstreamResult<PaymentwallProduct?> Failed(UpstreamFailure failure) => UpstreamResult.Failed<PaymentwallProduct?>(failure);

    public static string Json(CatalogResponse response) => Encoding.UTF8.GetString(CatalogJsonContext.Write(response));

    private static Money? Read(string amount, Currency currency) => Gateway.Iso.Money.TryParse(amount, currency, out var money) ? money : null;
}
