namespace Gateway.Upstreams.Billing;

/// <summary>Which components of which product: everything that Billing's answer depends on.</summary>
/// <param name="ProductId">Billing's product id.</param>
/// <param name="Status">Billing's <c>filter_status</c>, such as <c>active</c>.</param>
/// <param name="Language">Two-letter language, or null to leave it to Billing.</param>
/// <param name="Sandbox">Ask for sandbox data.</param>
internal sealed record ComponentsQuestion(string ProductId, string Status, string? Language, bool Sandbox);
