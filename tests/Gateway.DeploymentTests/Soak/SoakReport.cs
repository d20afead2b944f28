using System.Globalization;
using System.Text;

namespace Gateway.DeploymentTests.Soak;

/// <summary>A run as Markdown with plots beside it.</summary>
internal static class SoakReport
{
    /// <summary>Of one promise.</summary>
    private const int MostViolations = 50;

    private static readonly (string Target, string Name, string Color)[] Shades =
    [
        ("paymentwall", "Paymentwall", "#e89c1c"), ("billing", "Billing", "#4a90d9"), ("authorization", "token server", "#8e63c7"),
        ("redis", "Redis", "#e05555"), ("kill", "kill -9", "#6b0f1a"), ("restart", "restart", "#4caf50"), ("purge", "purge", "#888"),
    ];

    private static readonly string[] Colors = ["#123f7a", "#c2410c", "#15803d"];

    /// <summary>Writes soak.md, the plots, and what the gateways logged of importance.</summary>
    public static async Task WriteAsync(SoakResult result, string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, chart) in Charts(result))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name + ".svg"), chart.ToString());
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "soak.md"), Markdown(result));
        await File.WriteAllLinesAsync(Path.Combine(folder, "gateways.log"), result.Log);
    }

    public static string Summary(SoakResult result)
    {
        var text = new StringBuilder();
        text.AppendLine(Inv($"{result.Answers.Count} requests in {result.Duration.TotalSeconds:0} s, {result.Violations.Count} violations, {result.LostToKills} lost to kills, {result.LostToTheMachine} to the machine ({result.Pauses.Count} pauses of {result.Pauses.Total.TotalSeconds:0.0} s altogether, {result.Pauses.Longest.TotalSeconds:0.0} s the longest); prices shown: {Counts(result.PricesShown)}; upstream calls: {Counts(result.UpstreamCalls)}; {result.Tokens} tokens, {result.PriceChanges} prices set."));
        foreach (var (name, flatness) in result.Flatness)
        {
            text.AppendLine(Inv($"{name} of gateway-1: median {flatness.Median:0.0} in the later half, rising by {flatness.Rise:0.0} (allowed {flatness.Allowed:0.0})."));
        }

        foreach (var group in result.Violations.GroupBy(violation => violation.Promise))
        {
            text.AppendLine(Inv($"{group.Count()} × {group.Key}, such as:"));
            foreach (var violation in group.Take(3))
            {
                text.AppendLine(Inv($"  {violation.At:HH:mm:ss.fff} {violation.What}\n    {violation.Request}\n    {violation.Excerpt}"));
            }
        }

        return text.ToString();
    }

    private static string Markdown(SoakResult result)
    {
        var text = new StringBuilder();
        text.AppendLine(Inv($"Run of {result.Duration.TotalMinutes:0.0} minutes on {result.StartedAt:yyyy-MM-dd HH:mm:ss} UTC, seed {result.Seed}, {Environment.ProcessorCount} processors: **{result.Answers.Count:#,0} requests, {result.Violations.Count} violations**."));
        text.AppendLine();
        text.AppendLine("| | |\n|---|---|");
        text.AppendLine(Inv($"| prices shown, by status | {Counts(result.PricesShown)} |"));
        text.AppendLine(Inv($"| prices set in the simulator | {result.PriceChanges:#,0} |"));
        text.AppendLine(Inv($"| upstream calls | {Counts(result.UpstreamCalls)} |"));
        text.AppendLine(Inv($"| access tokens obtained | {result.Tokens}; {result.TokensJudged} of them with nothing but the loss of Redis, or nothing at all, to excuse one too many |"));
        text.AppendLine(Inv($"| requests lost to `kill -9` | {result.LostToKills} |"));
        text.AppendLine(Inv($"| answers that lack something only because the machine stood still | {result.LostToTheMachine} |"));
        text.AppendLine(Inv($"| characters of log searched for credentials | {result.LogCharacters:#,0} |"));
        text.AppendLine(Inv($"| this machine stood still | {result.Pauses.Count} times for more than 0.1 s, {result.Pauses.Total.TotalSeconds:0.0} s altogether, {result.Pauses.Longest.TotalSeconds:0.00} s at most; something waited for a processor in {result.Crowding:0 %} of the time |"));
        text.AppendLine(Inv($"| answers of warm parts alone while an upstream or Redis was in trouble | {result.WarmInTrouble:#,0} |"));
        foreach (var (name, flatness) in result.Flatness)
        {
            text.AppendLine(Inv($"| {name} of gateway-1, later half | median {flatness.Median:0.0}, rising by {flatness.Rise:0.0} (allowed {flatness.Allowed:0.0}) |"));
        }

        Requests(text, result);
        text.AppendLine("\n## Plots\n");
        foreach (var (name, chart) in Charts(result))
        {
            text.AppendLine(Inv($"![{chart.Title}](soak/{name}.svg)\n"));
        }

        text.AppendLine("## Violations\n");
        if (result.Violations.Count == 0)
        {
            text.AppendLine("None.");
        }

        foreach (var violation in result.Violations.GroupBy(violation => violation.Promise).SelectMany(group => group.Take(MostViolations)))
        {
            text.AppendLine(Inv($"- {violation.At:HH:mm:ss.fff} **{violation.Promise}**: {violation.What} {violation.Request}\n  `{violation.Excerpt.ReplaceLineEndings(" ")}`"));
        }

        text.AppendLine("\n## What was made to go wrong\n\n| from | for | what |\n|---|---|---|");
        foreach (var trouble in result.Troubles.Where(trouble => trouble.Target is not ("start" or "unused")).OrderBy(trouble => trouble.From))
        {
            text.AppendLine(Inv($"| {trouble.From - result.StartedAt:h\\:mm\\:ss} | {(trouble.Until - trouble.From)?.TotalSeconds:0.0} s | {trouble.What} |"));
        }

        return text.ToString();
    }

    private static void Requests(StringBuilder text, SoakResult result)
    {
        var statuses = result.Answers.Select(answer => answer.Status).Distinct().Order().ToList();
        text.AppendLine("\n## Requests\n");
        text.AppendLine($"| kind | {string.Join(" | ", statuses.Select(status => status == 0 ? "no answer" : status.ToString(CultureInfo.InvariantCulture)))} | median ms | 99 % | slowest |");
        text.AppendLine($"|---|{string.Concat(statuses.Select(_ => "--:|"))}--:|--:|--:|");
        foreach (var kind in result.Answers.GroupBy(answer => answer.Kind).OrderByDescending(group => group.Count()))
        {
            var times = kind.Select(answer => answer.Milliseconds).Order().ToList();
            var counts = kind.CountBy(answer => answer.Status).ToDictionary();
            text.AppendLine(Inv($"| {kind.Key} | {string.Join(" | ", statuses.Select(status => counts.TryGetValue(status, out var count) ? count.ToString("#,0", CultureInfo.InvariantCulture) : ""))} | {Share(times, 0.5):0.0} | {Share(times, 0.99):0} | {times[^1]:0} |"));
        }
    }

    private static IEnumerable<(string Name, SvgChart Chart)> Charts(SoakResult result)
    {
        var seconds = result.Duration.TotalSeconds;
        var wide = Math.Max(1, seconds / 300);
        var bins = result.Answers.GroupBy(answer => (int)(answer.Seconds / wide)).OrderBy(bin => bin.Key).ToList();
        yield return ("requests", Shaded(new SvgChart("Requests", "per second", seconds))
            .Line("all", Colors[0], [.. bins.Select(bin => (bin.Key * wide, bin.Count() / wide))])
            .Line("5xx", "#b00020", [.. bins.Select(bin => (bin.Key * wide, bin.Count(answer => answer.Status >= 500) / wide))]));
        var catalog = bins.Select(bin => (bin.Key, Times: bin.Where(answer => answer.IsCatalog).Select(answer => answer.Milliseconds).Order().ToList())).Where(bin => bin.Times.Count > 0).ToList();
        yield return ("latency", Shaded(new SvgChart("Catalog: time to the whole answer", "ms", seconds) { IsLogarithmic = true })
            .Line("99 %", Colors[1], [.. catalog.Select(bin => (bin.Key * wide, Share(bin.Times, 0.99)))])
            .Line("median", Colors[0], [.. catalog.Select(bin => (bin.Key * wide, Share(bin.Times, 0.5)))]));
        yield return ("memory", Processes(result, "Resident memory", "MiB", sample => sample.ResidentMiB));
        yield return ("handles", Processes(result, "Open handles", "count", sample => sample.Handles));
        yield return ("threads", Processes(result, "Threads", "count", sample => sample.Threads));

        SvgChart Shaded(SvgChart chart)
        {
            foreach (var (target, name, color) in Shades)
            {
                chart.Shade(name, color, Spans(result, target));
            }

            return chart;
        }
    }

    /// <summary>A line per process; those of one replica in one colour.</summary>
    private static SvgChart Processes(SoakResult result, string title, string unit, Func<ProcessSample, double> value)
    {
        var chart = new SvgChart(title, unit, result.Duration.TotalSeconds);
        foreach (var instance in result.Samples.GroupBy(sample => (sample.Replica, sample.Instance)).OrderBy(group => group.Key.Replica))
        {
            chart.Line(
                instance.Key.Replica == 0 ? "gateway-1 (left alone)" : Inv($"gateway-{instance.Key.Replica + 1}"), Colors[instance.Key.Replica],
                [.. instance.Select(sample => ((sample.At - result.StartedAt).TotalSeconds, value(sample)))]);
        }

        foreach (var (target, name, color) in Shades.Where(shade => shade.Target != "purge"))
        {
            chart.Shade(name, color, Spans(result, target));
        }

        return chart;
    }

    private static List<(double From, double To)> Spans(SoakResult result, string target) =>
        [.. result.Troubles.Where(trouble => trouble.Target == target).Select(trouble =>
            ((trouble.From - result.StartedAt).TotalSeconds, ((trouble.Until ?? (result.StartedAt + result.Duration)) - result.StartedAt).TotalSeconds))];

    private static double Share(List<double> sorted, double share) => sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];

    private static string Counts(IReadOnlyDictionary<string, int> counts) =>
        string.Join(", ", counts.OrderByDescending(count => count.Value).Select(count => Inv($"{count.Key} {count.Value:#,0}")));

    private static string Inv(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
