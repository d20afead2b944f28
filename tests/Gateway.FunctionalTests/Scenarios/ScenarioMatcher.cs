using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>What a header, a JSON value, a count is expected to be.</summary>
internal sealed class ScenarioMatcher
{
    private readonly List<(string Said, Func<IReadOnlyList<JsonNode?>, ScenarioRun, bool> Holds)> _checks = [];

    private ScenarioMatcher()
    {
    }

    /// <param name="node">A value, <c>absent</c>, <c>present</c>, or keys such as <c>contains</c>.</param>
    /// <param name="asText">A header's value is text, whatever it reads like.</param>
    public static ScenarioMatcher Read(ScenarioNode node, bool asText)
    {
        var matcher = new ScenarioMatcher();
        if (node.IsWord("absent"))
        {
            matcher.Add("absent", (found, _) => found.Count == 0);
        }
        else if (node.IsWord("present"))
        {
            matcher.Add("present", (found, _) => found.Count > 0 && found.All(value => value is not null));
        }
        else if (node.IsMap)
        {
            matcher.ReadKeys(node);
        }
        else if (node.IsWord(string.Empty))
        {
            throw node.Error("no value; quote what has a comma in it, and write \"\" or null for nothing");
        }
        else
        {
            matcher.AddEqual(node, asText);
        }

        return matcher;
    }

    public void Check(string what, IReadOnlyList<JsonNode?> found, ScenarioRun run)
    {
        foreach (var (said, holds) in _checks)
        {
            if (!holds(found, run))
            {
                var seen = found.Count == 0 ? "absent" : string.Join(" and ", found.Select(value => value?.ToJsonString(Readable) ?? "null").Distinct());
                Assert.Fail($"{what} should be {run.Fill(said)} and is {seen}");
            }
        }
    }

    private static readonly System.Text.Json.JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private void ReadKeys(ScenarioNode node)
    {
        if (node.Find("is") is { } same)
        {
            AddEqual(same, asText: false);
        }

        AddText(node.Find("contains"), "with", (text, part) => text.Contains(part, StringComparison.Ordinal));
        AddText(node.Find("contains not"), "without", (text, part) => !text.Contains(part, StringComparison.Ordinal));
        AddText(node.Find("matches"), "like", (text, pattern) => Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        AddText(node.Find("is not"), "other than", (text, other) => text != other);
        if (node.Find("one of") is { } list)
        {
            var allowed = list.List.Select(value => value.Text).ToList();
            Add("one of " + string.Join(", ", allowed), (found, _) => found.Count > 0 && found.All(value => allowed.Contains(value?.ToString() ?? "null")));
        }

        if (node.Find("count") is { } count)
        {
            var wanted = count.Number;
            Add($"{wanted} elements", (found, _) => found.Count > 0 && found.All(value => value is JsonArray list && list.Count == wanted));
        }

        AddNumber(node.Find("at least"), "at least", (seen, bound) => seen >= bound);
        AddNumber(node.Find("at most"), "at most", (seen, bound) => seen <= bound);
        node.End();
        if (_checks.Count == 0)
        {
            throw node.Error("nothing is expected here");
        }
    }

    private void AddEqual(ScenarioNode node, bool asText)
    {
        var wanted = asText ? JsonValue.Create(node.Text) : node.Json();
        Add(wanted?.ToJsonString(Readable) ?? "null", (found, run) => found.Count > 0 && found.All(value => wanted is JsonValue && wanted.GetValueKind() == System.Text.Json.JsonValueKind.String
            ? value?.GetValueKind() == System.Text.Json.JsonValueKind.String && value.ToString() == run.Fill(wanted.ToString())
            : JsonNode.DeepEquals(value, wanted)));
    }

    private void AddText(ScenarioNode? node, string said, Func<string, string, bool> holds)
    {
        foreach (var text in node?.OneOrMore.Select(part => part.Text) ?? [])
        {
            Add($"{said} '{text}'", (found, run) => found.Count > 0 && found.All(value => value is not null && holds(value.ToString(), run.Fill(text))));
        }
    }

    private void AddNumber(ScenarioNode? node, string said, Func<decimal, int, bool> holds)
    {
        if (node?.Number is { } bound)
        {
            Add($"{said} {bound}", (found, _) => found.Count > 0
                && found.All(value => decimal.TryParse(value?.ToString(), CultureInfo.InvariantCulture, out var seen) && holds(seen, bound)));
        }
    }

    private void Add(string said, Func<IReadOnlyList<JsonNode?>, ScenarioRun, bool> holds) => _checks.Add((said, holds));
}
