namespace Gateway.FunctionalTests.Scenarios;

/// <summary>Every scenario in this folder, and that they are what README.md says of them.</summary>
[TestCaseOrderer(typeof(ScenarioOrder))]
public sealed class ScenarioTests(ScenarioStage stage) : IClassFixture<ScenarioStage>
{
    public static TheoryData<string> Files => [.. Scenarios.Scenario.Files];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Scenario(string file) =>
        await stage.PlayAsync(Scenarios.Scenario.Load(file), ScenarioOrder.After(file) is { } next ? Scenarios.Scenario.Load(next) : null);
}
