using Gateway.Problems;
using Gateway.Telemetry;

namespace Gateway.Catalog;

/// <summary>An answer ready to be sent, or the problem.</summary>
/// <param name="Answer">Null if <paramref name="Problem"/> is set.</param>
/// <param name="Problem">Why there is none.</param>
/// <param name="IsHit">No upstream had to be asked.</param>
/// <param name="Seen">Where the time went.</param>
internal sealed record CatalogOutcome(ReadyAnswer? Answer, Problem? Problem, bool IsHit, Timeline? Seen = null);
