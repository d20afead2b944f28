using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>Section <c>Catalog</c>: what the catalog lists, for which country, how components map to SKUs, and how long what the upstreams said is kept.</summary>
internal sealed class CatalogOptions
{
    public const string Section = "Catalog";

    internal const string DefaultCurrencyPattern = "-(?<currency>[A-Z]{3})-";

    /// <summary>ISO 3166-1 alpha-2, for requests that name no country. Required: Paymentwall would otherwise take the country of the data centre, silently.</summary>
    public string DefaultCountry { get; set; } = string.Empty;

    /// <summary>Header in which a CDN puts the customer's country, such as <c>CF-IPCountry</c>. Empty (default): none.</summary>
    public string CountryHeader { get; set; } = string.Empty;

    /// <summary>Billing products listed when a request names none. Empty (default): such a request gets 400.</summary>
    public CommaList Products { get; set; } = [];

    /// <summary>Products that one request may name. Default 20, range 1 to 200.</summary>
    [Range(1, 200)]
    public int MaxProducts { get; set; } = 20;

    /// <summary>Languages that a request may ask for, two letters each. Empty (default): all of ISO 639-1.</summary>
    public CommaList Languages { get; set; } = [];

    /// <summary>
    /// What becomes of a query parameter that the catalog does not have. <c>warn</c> (default): one that is spelt nearly as one that it has is
    /// refused, any other is ignored and named in the answer. <c>reject</c>: each is refused. <c>ignore</c>: each is ignored.
    /// </summary>
    public UnknownParameters UnknownParameters { get; set; } = UnknownParameters.Warn;

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
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>For how long an answer of an upstream is fresh: served without asking again. Default 1 min, range 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan FreshFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// For how much longer it is served while it is refreshed in the background, or while the upstream fails. Default 24 h, range
    /// 0 to 7 days.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan StaleFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// For how long "there is no such thing" is fresh. Then it is asked for again; after twice as long a request waits for the
    /// answer, and it is served, for <see cref="StaleFor"/>, only while the upstream fails. Default 30 s, range 1 s to 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan NotFoundFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Memory for everything cached in this replica, in bytes of payload. Default 67108864 (64 MiB), range 1 MiB to 8 GiB.</summary>
    [Range(1024d * 1024, 8d * 1024 * 1024 * 1024)]
    public long MemoryLimit { get; set; } = 64L * 1024 * 1024;
}

/// <summary>What becomes of a query parameter that the catalog does not have.</summary>
internal enum UnknownParameters
{
    Warn,
    Reject,
    Ignore,
}

/// <summary>What an operator says of a component; unset fields leave what the upstreams say.</summary>
internal sealed class CatalogOverlay
{
    /// <summary>Name shown instead of Paymentwall's.</summary>
    public string? Name { get; set; }

    /// <summary>One or two sentences.</summary>
    public string? Description { get; set; }

    /// <summary>Bullet points, in order.</summary>
    public List<string>? Features { get; set; }
}
