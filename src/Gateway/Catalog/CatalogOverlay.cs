namespace Gateway.Catalog;

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
