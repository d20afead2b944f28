using Gateway.Problems;
using Gateway.Upstreams.Billing;

namespace Gateway.Catalog;

/// <summary>What Billing said of one product: the components that the question selects, or the problem.</summary>
internal sealed record ProductListing(string ProductId, IReadOnlyList<BillingComponent> Components, Problem? Problem = null);
