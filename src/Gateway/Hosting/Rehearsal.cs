using System.Security.Cryptography.X509Certificates;
using Gateway.AccessTokens;
using Gateway.Catalog;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// Most of what the first answer takes is the work of the just-in-time compiler. While the host is being built, another processor does
/// it here, on made-up data: a token of a token endpoint in memory, a catalog of one component. Nothing leaves the process, nothing is
/// counted or kept, and nobody waits for it.
/// </summary>
internal static class Rehearsal
{
    private const string Product = "rehearsal";

    public static void Begin()
    {
        // With only one it would be in the way of the start.
        if (Environment.ProcessorCount > 1)
        {
            _ = Task.Run(RunAsync);
        }
    }

    internal static async Task<bool> RunAsync()
    {
        using (var authorities = new X509Store(StoreName.Root, StoreLocation.LocalMachine))
        {
            // Read once for the process, by the first connection otherwise.
            authorities.Open(OpenFlags.ReadOnly);
        }

        return await MsalTokenEndpoint.RehearseAsync() && AnswerOne().Identity.Length > 0;
    }

    private static RenderedCatalog AnswerOne()
    {
        var now = TimeProvider.System.GetUtcNow();
        var components = BillingPayload.Read(
            """
            {"items":[{"id":"r-EUR-monthly","productId":"rehearsal","componentGroupId":"r","componentType":"plan","status":"active","isUsageBased":false,
            "pricingModel":"flat_fee","price":100,"billingPeriodUnit":"month","trialPeriodValue":10,"trialPeriodUnit":"day","freeQuantity":0,"mandatoryComponentIds":[]}]}
            """u8,
            Product)!;
        var price = PaymentwallPayload.Read(
            """{"object":"product","id":"1","name":"R","amount":"1.00","currency":"EUR","period_length":"1","period_type":"month","recurring":"1","trial":"0","post_trial_product_id":"","old_price":""}"""u8).Product;
        var response = CatalogMerge.Merge(
            new CatalogRequest { Products = [Product], Country = "DE", CountrySource = CountrySource.Query },
            [new ProductListing(Product, components)],
            new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal) { ["r-EUR-monthly"] = UpstreamResult.Of(price) },
            new CatalogRules(Options.Create(new CatalogOptions())));
        return new RenderedCatalog(new AggregationResult(response, Problem: null, now, Loaded: true, []), response, now, epoch: 0);
    }
}
