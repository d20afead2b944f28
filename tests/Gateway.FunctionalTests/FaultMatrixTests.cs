using Gateway.FunctionalTests.Matrix;

namespace Gateway.FunctionalTests;

/// <summary>Every dependency with everything that can be wrong with it, while the answer is fresh, unknown, or due for a refresh.</summary>
public sealed class FaultMatrixTests(MatrixRun run) : IClassFixture<MatrixRun>
{
    /// <summary>A gateway that has read nothing large has about a quarter of this.</summary>
    private const int MostMegabytes = 500;

    public static TheoryData<string, string, string> Cells()
    {
        var cells = new TheoryData<string, string, string>();
        foreach (var fault in MatrixFault.All)
        {
            foreach (var state in Enum.GetNames<MatrixState>())
            {
                cells.Add(fault.Dependency.ToString(), fault.Name, state);
            }
        }

        return cells;
    }

    public static TheoryData<string, string> Faults() =>
        [.. MatrixFault.All.Select(fault => new TheoryDataRow<string, string>(fault.Dependency.ToString(), fault.Name))];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Fault_costs_what_the_contract_says_and_no_more(string dependency, string fault, string state)
    {
        var (what, when) = (Find(dependency, fault), Enum.Parse<MatrixState>(state));

        var seen = run.Of(what, when);

        var (expected, actual) = (MatrixRules.Expect(what, when), seen.Cell);
        Assert.Empty(seen.Broken);
        Assert.Equal((expected.Answer, expected.Prices), (actual.Answer, actual.Prices));
        Assert.True(seen.IsInTime, $"It took {seen.Took}.");
        Assert.True(expected.Token.Allow(actual.Token.Least), $"{actual.Token} token requests, not {expected.Token}");
        Assert.True(expected.Billing.Allow(actual.Billing.Least), $"{actual.Billing} calls to Billing, not {expected.Billing}");
        Assert.True(expected.Paymentwall.Allow(actual.Paymentwall.Least), $"{actual.Paymentwall} calls to Paymentwall, not {expected.Paymentwall}");
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void No_fault_blows_up_memory(string dependency, string fault) =>
        Assert.InRange(run.Of(Find(dependency, fault), MatrixState.Stale).PeakMegabytes, 1, MostMegabytes);

    /// <summary>To accept a change: <c>ACCEPT_FAULT_MATRIX=1 ./dev test</c>, then look at the diff.</summary>
    [Fact]
    public async Task Table_in_the_docs_is_what_was_seen()
    {
        Assert.SkipWhen(MatrixFault.All.Any(fault => !MatrixRun.IsWanted(fault)), "FAULT_MATRIX asks for a part.");
        var table = MatrixTable.Reviewed(run);
        var document = await File.ReadAllTextAsync(MatrixTable.Document, TestContext.Current.CancellationToken);
        var text = document[..(document.IndexOf(MatrixTable.Marker, StringComparison.Ordinal) + MatrixTable.Marker.Length)];
        if (System.Environment.GetEnvironmentVariable("ACCEPT_FAULT_MATRIX") == "1")
        {
            await File.WriteAllTextAsync(MatrixTable.Document, text + table, TestContext.Current.CancellationToken);
            document = text + table;
        }

        Assert.Equal(document, text + table);
    }

    private static MatrixFault Find(string dependency, string name) =>
        MatrixFault.All.Single(fault => fault.Dependency.ToString() == dependency && fault.Name == name);
}
