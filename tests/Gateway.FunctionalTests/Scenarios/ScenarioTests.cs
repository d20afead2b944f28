namespace Gateway.FunctionalTests.Scenarios;

/// <summary>Every scenario in this folder, and that they are what README.md says of them.</summary>
[TestCaseOrderer(typeof(ScenarioOrder))]
[Trait("Redis", "any form")]
public sealed class ScenarioTests(ScenarioStage stage) : IClassFixture<ScenarioStage>
{
    /// <summary>All, or those whose names begin as the environment variable SCENARIOS says.</summary>
    public static TheoryData<string> Files =>
        [.. Scenarios.Scenario.Files.Where(file => file.StartsWith(Environment.GetEnvironmentVariable("SCENARIOS") ?? string.Empty, StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Scenario(string file) =>
        await stage.PlayAsync(Scenarios.Scenario.Load(file), ScenarioOrder.After(file) is { } next ? Scenarios.Scenario.Load(next) : null);
}
