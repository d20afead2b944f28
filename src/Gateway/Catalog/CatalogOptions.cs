using Gateway.Configuration;

namespace Gateway.Catalog;

/// <summary>Section <c>Catalog</c>: what the catalog lists and how components map to SKUs.</summary>
internal sealed class CatalogOptions
{
    public const string Section = "Catalog";

    internal const string DefaultCurrencyPattern = "-(?<currency>[A-Z]{3})-";

    /// <summary>Billing products listed when a request names none. Empty (default): such a request gets 400.</summary>
    public CommaList Products { get; set; } = [];

    /// <summary>Products that one request may name. Default 20, range 1 to 200.</summary>
    public int MaxProducts { get; set; } = 20;

    /// <summary>Languages that a request may ask for, two letters each. Empty (default): all of ISO 639-1.</summary>
    public CommaList Languages { get; set; } = [];

    /// <summary>
    /// How a component's SKU is made where <see cref="SkuMap"/> has none: text with <c>{id}</c>, <c>{productId}</c>,
    /// <c>{groupId}</c>. Default <c>{id}</c>.
    /// </summary>
    public string SkuTemplate { get; set; } = "{id}";

    /// <summary>SKU by component id. An empty value: the component has none, and Paymentwall is not asked.</summary>
    public Dictionary<string, string> SkuMap { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Names, descriptions and features, which Billing does not have; by <c>componentGroupId</c> or component id. Where both have
    /// an entry the id's, being the more specific, wins field by field.
    /// </summary>
    public Dictionary<string, CatalogOverlay> Overlay { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Regular expression with a group <c>currency</c> that finds a list price's currency in the component's id, where Billing does
    /// not send one. Matched without backtracking. Default <c>-(?&lt;currency&gt;[A-Z]{3})-</c>.
    /// </summary>
    public string ListPriceCurrencyPattern { get; set; } = DefaultCurrencyPattern;

    /// <summary>Time for a whole answer; what is not there by then is labelled missing. Default 5 s, range 100 ms to 1 min.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(5);
}
