namespace Gateway.Upstreams.Paymentwall;

/// <summary>Which SKU in which country: everything that Paymentwall's answer depends on.</summary>
/// <param name="Sku">The merchant's product id (<c>ag_external_id</c>).</param>
/// <param name="Country">ISO 3166-1 alpha-2. Never left out: Paymentwall would take the data centre's.</param>
internal sealed record PriceQuestion(string Sku, string Country);
