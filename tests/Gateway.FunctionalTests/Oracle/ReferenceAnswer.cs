using System.Text.Json.Nodes;

namespace Gateway.FunctionalTests.Oracle;

/// <summary>What the gateway has to answer.</summary>
/// <param name="Question">To this.</param>
/// <param name="Context">The answer's member.</param>
/// <param name="Items">Each with what may stand in its place: the first is the truth, the others are labelled degradations of it.</param>
/// <param name="Failed">Products that could not be listed, with the code; in the order asked for.</param>
internal sealed record ReferenceAnswer(
    OracleQuestion Question, JsonObject Context, IReadOnlyList<(string ProductId, IReadOnlyList<JsonObject> Candidates)> Items, IReadOnlyList<(string ProductId, string Code)> Failed);
