namespace Gateway.Catalog;

/// <summary>Who may read the catalog. A key of the section <c>Security</c>.</summary>
internal sealed class CatalogAccessOptions
{
    public const string Section = "Security";

    /// <summary>The catalog needs a valid API key, of any role, and its answers are for nobody else to keep. Default false.</summary>
    public bool RequireKeyForCatalog { get; set; }
}
