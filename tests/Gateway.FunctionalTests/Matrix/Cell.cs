namespace Gateway.FunctionalTests.Matrix;

/// <summary>What one cell of the matrix shows: as the rules expect it, or as it was seen.</summary>
/// <param name="Answer">Status, then the completeness or the problem's code.</param>
/// <param name="Prices">How many prices there are of each status, with the reason where there is one.</param>
/// <param name="Token">Requests for a token.</param>
/// <param name="Billing">Calls to Billing.</param>
/// <param name="Paymentwall">Calls to Paymentwall.</param>
internal sealed record Cell(string Answer, string Prices, Calls Token, Calls Billing, Calls Paymentwall);
