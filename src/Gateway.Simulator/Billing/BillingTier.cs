using System.Text.Json.Serialization;

namespace Gateway.Simulator.Billing;

/// <summary>The vendor does not document the shape; this is what the billing platform behind it documents. The last tier has no end.</summary>
internal sealed record BillingTier(
    [property: JsonPropertyName("starting_unit")] int StartingUnit,
    [property: JsonPropertyName("ending_unit")] int? EndingUnit,
    int Price);
