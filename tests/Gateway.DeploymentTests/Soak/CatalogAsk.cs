namespace Gateway.DeploymentTests.Soak;

/// <summary>A valid question to the catalog.</summary>
/// <param name="Products">In the order asked for.</param>
/// <param name="Country">Upper case.</param>
/// <param name="Sandbox">By query.</param>
/// <param name="Prices"><c>prefer</c>, <c>required</c> or <c>skip</c>.</param>
/// <param name="Lang">Null: not asked for.</param>
/// <param name="Type">Null: every type.</param>
/// <param name="Period">Null: every period.</param>
internal sealed record CatalogAsk(
    IReadOnlyList<string> Products, string Country, bool Sandbox = false, string Prices = "prefer", string? Lang = null, string? Type = null, string? Period = null)
{
    public string Path =>
        $"/catalog?product={string.Join(',', Products)}&country={Country}"
        + (Sandbox ? "&sandbox=true" : "")
        + (Prices == "prefer" ? "" : "&prices=" + Prices)
        + (Lang is null ? "" : "&lang=" + Lang)
        + (Type is null ? "" : "&type=" + Type)
        + (Period is null ? "" : "&period=" + Period);
}
