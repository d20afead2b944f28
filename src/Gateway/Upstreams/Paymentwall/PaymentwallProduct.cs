using Gateway.Iso;

namespace Gateway.Upstreams.Paymentwall;

/// <summary>What Paymentwall says of one SKU in one country, checked.</summary>
internal sealed record PaymentwallProduct
{
    public string? Name { get; init; }

    public required Money Price { get; init; }

    /// <summary>Null for a one-off product. In a trial this is the trial's period.</summary>
    public Period? Period { get; init; }

    public bool Recurring { get; init; }

    /// <summary>The amount and period are those of a trial.</summary>
    public bool IsTrial { get; init; }

    /// <summary>SKU of what follows the trial; null where there is none, or Paymentwall does not say.</summary>
    public string? PostTrialSku { get; init; }

    /// <summary>Old price, where the merchant set one that is not zero; in the currency of <see cref="Price"/>.</summary>
    public Money? OldPrice { get; init; }
}
