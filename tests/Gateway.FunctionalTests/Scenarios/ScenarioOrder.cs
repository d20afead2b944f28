using Xunit.Sdk;
using Xunit.v3;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>Scenarios that need the same gateway come one after the other, and each knows which one follows it.</summary>
public sealed class ScenarioOrder : ITestCaseOrderer
{
    private static readonly Dictionary<string, string> Following = new(StringComparer.Ordinal);

    /// <summary>The scenario that is played after this one, of those that were asked for.</summary>
    public static string? After(string file) => Following.GetValueOrDefault(file);

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase
    {
        var ordered = testCases.OrderBy(testCase => File(testCase) is { } file ? CastOf(file) : string.Empty, StringComparer.Ordinal).ToList();
        var files = ordered.Select(testCase => File(testCase)).OfType<string>().ToList();
        foreach (var (file, next) in files.Zip(files.Skip(1)))
        {
            Following[file] = next;
        }

        return ordered;
    }

    private static string? File<TTestCase>(TTestCase testCase) => testCase is IXunitTestCase { TestMethod.MethodName: nameof(ScenarioTests.Scenario) } xunit
        && xunit is XunitTestCase { TestMethodArguments: [string file] } ? file : null;

    private static string CastOf(string file)
    {
        try
        {
            return Scenario.Load(file).Cast + '\n' + file;
        }
        catch (FormatException)
        {
            // It says so when it is played.
            return file;
        }
    }
}
