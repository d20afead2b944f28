namespace Gateway.DeploymentTests.Soak;

/// <summary>What the simulator says of a SKU in a country for a while; null: not sold there.</summary>
/// <param name="Number">From 1.</param>
/// <param name="AmountMinor">See <see cref="PriceLedger"/>.</param>
/// <param name="From">The earliest moment at which it may have been said.</param>
internal sealed record PriceVersion(int Number, long? AmountMinor, DateTimeOffset From)
{
    /// <summary>The latest moment at which it may have been said; null while it stands.</summary>
    public DateTimeOffset? Until { get; set; }
}
