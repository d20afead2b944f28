using System.Text.Json;
using Gateway.Iso;

namespace Gateway.Upstreams.Billing;

/// <summary>One component (plan, add-on, charge) as Billing describes it, checked.</summary>
internal sealed record BillingComponent
{
    public required string Id { get; init; }

    public required string ProductId { get; init; }

    public string? GroupId { get; init; }

    public string? Type { get; init; }

    public string? Status { get; init; }

    public string? PricingModel { get; init; }

    public bool UsageBased { get; init; }

    /// <summary>Integer minor units; of which currency Billing may not say.</summary>
    public long? PriceMinor { get; init; }

    public string? Currency { get; init; }

    public Period? BillingPeriod { get; init; }

    public Period? TrialPeriod { get; init; }

    public long? FreeQuantity { get; init; }

    public IReadOnlyList<string> MandatoryComponentIds { get; init; } = [];

    /// <summary>As Billing sent them: their shape is not documented (<see cref="BillingPayload.ReadTier"/>).</summary>
    public IReadOnlyList<JsonElement> Tiers { get; init; } = [];

    /// <summary>Fields that Billing sent and the gateway does not know, by name in ordinal order.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Extensions { get; init; }
}
