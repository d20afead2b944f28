namespace Gateway.Upstreams.Paymentwall;

/// <summary>Where the customer's country comes from when a request does not name it. Keys of the section <c>Catalog</c>.</summary>
internal sealed class CustomerCountryOptions
{
    public const string Section = "Catalog";

    /// <summary>ISO 3166-1 alpha-2. Required: Paymentwall would otherwise take the country of the data centre, silently.</summary>
    public string DefaultCountry { get; set; } = string.Empty;

    /// <summary>Header in which a CDN puts the customer's country, such as <c>CF-IPCountry</c>. Empty (default): none.</summary>
    public string CountryHeader { get; set; } = string.Empty;
}
