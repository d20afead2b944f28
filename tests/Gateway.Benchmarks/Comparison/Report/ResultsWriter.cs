using System.Text;
using System.Text.Json;

namespace Gateway.Benchmarks.Comparison.Report;

/// <summary>Writes <c>results.md</c>, <c>results.json</c> and a picture a chart.</summary>
internal static class ResultsWriter
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static async Task WriteAsync(string folder, Machine machine, CompareOptions options, IReadOnlyList<ScenarioReport> reports)
    {
        Directory.CreateDirectory(folder);
        foreach (var chart in reports.SelectMany(report => report.Charts))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, chart.Name + ".svg"), SvgChart.Draw(chart));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "results.md"), Markdown(machine, options, reports));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "results.json"), JsonSerializer.Serialize(new { machine, options.Rounds, options.Seconds, scenarios = reports }, Json) + "\n");
    }

    private static string Markdown(Machine machine, CompareOptions options, IReadOnlyList<ScenarioReport> reports)
    {
        var text = new StringBuilder("# Benchmark\n\n");
        text.Append(Invariant($"{machine.Date:yyyy-MM-dd HH:mm} UTC, commit {machine.Commit}. {machine.Cores} cores ({machine.Processor}), Linux {machine.Kernel}, .NET {machine.Runtime}.\n"));
        text.Append(Invariant($"{options.Rounds} interleaved rounds of {options.Seconds} s a subject; medians, in brackets the least and the most of the rounds' own ratios. Everything, the load too, shares these cores.\n"));
        foreach (var report in reports)
        {
            Append(text, report);
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, ScenarioReport report)
    {
        text.Append(Invariant($"\n## {report.Title}\n\n`{report.Name}`. {report.Method} Load average before: {report.LoadBefore:0.00}.\n"));
        foreach (var table in report.Tables)
        {
            Append(text, table);
        }

        if (report.Bars.Count > 0)
        {
            Append(text, new Table(["bar", "limit", "measured", ""], [.. report.Bars.Select(bar => (IReadOnlyList<string>)[
                (bar.IsStretch ? "stretch: " : string.Empty) + bar.What,
                Invariant($"{(bar.AtLeast ? "≥" : "≤")} {bar.Limit:0.###}{bar.Unit}"),
                Invariant($"{bar.Value:0.###}{bar.Unit}"),
                bar.Met ? bar.Verdict : $"**{bar.Verdict}**"])]));
        }

        foreach (var note in report.Notes)
        {
            text.Append(Invariant($"\n{note}\n"));
        }

        foreach (var chart in report.Charts)
        {
            text.Append(Invariant($"\n![{chart.Title}]({chart.Name}.svg)\n"));
        }
    }

    private static void Append(StringBuilder text, Table table)
    {
        text.Append(table.Title is { } title ? Invariant($"\n{title}\n\n") : "\n");
        text.Append("| ").AppendJoin(" | ", table.Columns).Append(" |\n");
        text.Append('|').Insert(text.Length, "---|", table.Columns.Count).Append('\n');
        foreach (var row in table.Rows)
        {
            text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        }
    }
}
