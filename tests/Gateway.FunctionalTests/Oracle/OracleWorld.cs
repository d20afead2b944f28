namespace Gateway.FunctionalTests.Oracle;

/// <summary>Everything that the upstreams know and say at one time. What is not in it, they do not know.</summary>
/// <param name="Products">By product id.</param>
/// <param name="Prices">By SKU and country.</param>
internal sealed record OracleWorld(IReadOnlyDictionary<string, Served> Products, IReadOnlyDictionary<(string Sku, string Country), Served> Prices);
