namespace Gateway.FunctionalTests.Oracle;

/// <summary>Two questions, asked in one world and, when everything known has become stale, in the next.</summary>
internal sealed record OracleCase(int Number, IReadOnlyList<OracleQuestion> Questions, OracleWorld Before, OracleWorld After);
