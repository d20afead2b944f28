namespace Gateway.Simulator.Billing;

/// <summary>The vendor does not document the shape; this is a plausible one. The last tier has no end.</summary>
internal sealed record BillingTier(int StartingUnit, int? EndingUnit, int Price);
