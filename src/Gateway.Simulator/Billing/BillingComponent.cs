using System.Text.Json.Serialization;

namespace Gateway.Simulator.Billing;

/// <summary>One item with the vendor's field names; what is null is absent on the wire. Prices are integer minor units.</summary>
internal sealed record BillingComponent
{
    public required string Id { get; init; }

    public required string ProductId { get; init; }

    public required string ComponentGroupId { get; init; }

    public required string ComponentType { get; init; }

    public string Status { get; init; } = "active";

    public bool IsUsageBased { get; init; }

    public string PricingModel { get; init; } = "flat_fee";

    public required int Price { get; init; }

    public IReadOnlyList<BillingTier>? Tiers { get; init; }

    /// <summary>Absent for a one-time charge.</summary>
    public string? BillingPeriodUnit { get; init; }

    public int? TrialPeriodValue { get; init; }

    public string? TrialPeriodUnit { get; init; }

    public int FreeQuantity { get; init; }

    public IReadOnlyList<string> MandatoryComponentIds { get; init; } = [];

    public string? Currency { get; init; }

    /// <summary>Documented nowhere: shows whether a client keeps, or at least survives, what it does not know.</summary>
    public string? LegacyCode { get; init; }

    /// <summary>Whether Paymentwall sells it under the same id.</summary>
    [JsonIgnore]
    public bool HasSku { get; init; } = true;
}
