using System.Globalization;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>The matrix as Markdown: what is the same in every run for <c>docs/</c>, with what was measured for <c>artifacts/</c>.</summary>
internal static class MatrixTable
{
    public const string Marker = "<!-- Written by the tests from here on. -->\n";

    private const string Head = "| dependency | fault | state | answer | prices | in time | calls: token | Billing | Paymentwall |";
    private const string Rule = "|---|---|---|---|---|---|---|---|---|";

    public static string Document { get; } = Path.Combine(Programs.Root, "docs", "fault-matrix.md");

    /// <summary>What was seen, with calls as the rules bound them: how many attempts fit into a time-out is chance.</summary>
    public static string Reviewed(MatrixRun run)
    {
        var table = new StringBuilder().Append(Head).Append('\n').Append(Rule).Append('\n');
        foreach (var (fault, state) in Cells())
        {
            var seen = run.Of(fault, state);
            var (cell, rule) = (seen.Cell, MatrixRules.Expect(fault, state));
            table.Append(CultureInfo.InvariantCulture, $"| {Name(fault.Dependency)} | {fault.Name} | {Name(state)} | {cell.Answer} | {cell.Prices} | {(seen.IsInTime ? "yes" : "no")} ");
            table.Append(CultureInfo.InvariantCulture, $"| {Bound(rule.Token, cell.Token)} | {Bound(rule.Billing, cell.Billing)} | {Bound(rule.Paymentwall, cell.Paymentwall)} |\n");
        }

        return table.ToString();
    }

    /// <summary>To <c>artifacts/fault-matrix.md</c>, with what differs between runs.</summary>
    public static Task WriteAsync(MatrixRun run)
    {
        var table = new StringBuilder().Append(Head).Append(" ms | MB | |\n").Append(Rule).Append("---|---|---|\n");
        foreach (var (fault, state) in Cells().Where(cell => MatrixRun.IsWanted(cell.Fault)))
        {
            try
            {
                var seen = run.Of(fault, state);
                var cell = seen.Cell;
                table.Append(CultureInfo.InvariantCulture, $"| {Name(fault.Dependency)} | {fault.Name} | {Name(state)} | {cell.Answer} | {cell.Prices} | {(seen.IsInTime ? "yes" : "no")} ");
                table.Append(CultureInfo.InvariantCulture, $"| {cell.Token} | {cell.Billing} | {cell.Paymentwall} | {seen.Took.TotalMilliseconds:0} | {seen.PeakMegabytes} | {string.Join("; ", seen.Broken)} |\n");
            }
            catch (InvalidOperationException exception)
            {
                table.Append(CultureInfo.InvariantCulture, $"| {Name(fault.Dependency)} | {fault.Name} | {Name(state)} | {exception.Message.ReplaceLineEndings(" ")} |\n");
            }
        }

        var folder = Directory.CreateDirectory(Path.Combine(Programs.Root, "artifacts"));
        return File.WriteAllTextAsync(Path.Combine(folder.FullName, "fault-matrix.md"), table.ToString(), TestContext.Current.CancellationToken);
    }

    private static IEnumerable<(MatrixFault Fault, MatrixState State)> Cells() =>
        MatrixFault.All.SelectMany(fault => Enum.GetValues<MatrixState>().Select(state => (fault, state)));

    private static string Bound(Calls rule, Calls seen) => (rule.Allow(seen.Least) ? rule : seen).ToString();

    private static string Name(Dependency dependency) => dependency == Dependency.Token ? "token server" : dependency.ToString();

    private static string Name(MatrixState state) => state.ToString().ToLowerInvariant();
}
