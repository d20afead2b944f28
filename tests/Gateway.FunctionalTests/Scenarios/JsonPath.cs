using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>
/// Finds values in an answer: <c>completeness.complete</c>, <c>items[0].id</c>, <c>items[id=pro].price.amount</c> (of the one element whose
/// id is so), <c>items[*].price.currency</c> (of every element).
/// </summary>
internal static partial class JsonPath
{
    /// <summary>What is there; a place that does not exist yields nothing, JSON's null yields null.</summary>
    public static IReadOnlyList<JsonNode?> Find(JsonNode? root, string path)
    {
        List<JsonNode?> found = [root];
        foreach (var step in Step().Matches(path).Select(match => match.Value))
        {
            found = [.. found.SelectMany(node => Enter(node, step))];
        }

        return found;
    }

    private static IEnumerable<JsonNode?> Enter(JsonNode? node, string step)
    {
        if (step[0] != '[')
        {
            return node is JsonObject map && map.TryGetPropertyValue(step.TrimStart('.'), out var value) ? [value] : [];
        }

        if (node is not JsonArray list)
        {
            return [];
        }

        var inside = step[1..^1];
        if (inside == "*")
        {
            return list;
        }

        if (int.TryParse(inside, CultureInfo.InvariantCulture, out var index))
        {
            return index < list.Count ? [list[index]] : [];
        }

        var (key, wanted) = inside.Split('=', 2) is [var name, var text] ? (name, text) : throw new FormatException($"Not an index: {step}");
        return list.Where(element => element?[key]?.ToString() == wanted);
    }

    [GeneratedRegex(@"\[[^\]]+\]|\.?[^.\[]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Step();
}
