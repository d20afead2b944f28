namespace Gateway.DeploymentTests.Soak;

/// <summary>What a customer sends, and what must come of it.</summary>
/// <param name="Kind">A row of the report.</param>
/// <param name="Method">The method.</param>
/// <param name="Path">With query.</param>
internal sealed record SoakRequest(string Kind, HttpMethod Method, string Path)
{
    /// <summary>A valid question to the catalog.</summary>
    public CatalogAsk? Catalog { get; init; }

    /// <summary>A proxied call that Paymentwall answers with this price.</summary>
    public (string Country, string Sku)? Price { get; init; }

    /// <summary>A proxied call to Billing, and the status that Billing gives it when it is well.</summary>
    public int? Billing { get; init; }

    /// <summary>Refused by the gateway itself, always with this.</summary>
    public (int Status, string Code)? Refusal { get; init; }

    public string? ApiKey { get; init; }

    /// <summary><c>identity</c>, <c>gzip</c> or <c>br</c>.</summary>
    public string Encoding { get; init; } = "identity";

    public string? IfNoneMatch { get; init; }

    public string? Body { get; init; }
}
