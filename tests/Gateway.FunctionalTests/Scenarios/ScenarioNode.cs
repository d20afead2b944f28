using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>
/// A piece of a scenario's YAML that knows where it stands. What is not understood is an error that names file, line and key. Where
/// an <c>each</c> gave a row, <c>${name}</c> is that row's value; other names are left for the run.
/// </summary>
internal sealed partial class ScenarioNode(string file, YamlNode node, string key, IReadOnlyDictionary<string, ScenarioNode> row)
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    public static readonly IReadOnlyDictionary<string, ScenarioNode> NoRow = new Dictionary<string, ScenarioNode>(StringComparer.Ordinal);

    public string Key => key;

    public bool IsMap => Node is YamlMappingNode;

    public bool IsList => Node is YamlSequenceNode;

    /// <summary>A word of the format, and no text in quotes that happens to read like it.</summary>
    public bool IsWord(string word) => Node is YamlScalarNode { Style: ScalarStyle.Plain } scalar && scalar.Value == word;

    public string Where => string.Create(CultureInfo.InvariantCulture, $"{file}:{node.Start.Line}");

    public string Text => Node is YamlScalarNode scalar
        ? Placeholder().Replace(scalar.Value ?? string.Empty, match => row.TryGetValue(match.Groups["name"].Value, out var value) ? value.Text : match.Value)
        : throw Error("a text is expected");

    public int Number => int.TryParse(Text, CultureInfo.InvariantCulture, out var number) ? number : throw Error("a whole number is expected");

    public bool Flag => Text switch { "true" => true, "false" => false, _ => throw Error("true or false is expected") };

    /// <summary>Such as <c>300ms</c>, <c>1.5s</c>.</summary>
    public TimeSpan Duration => DurationForm().Match(Text) is { Success: true } match
        ? TimeSpan.FromMilliseconds(double.Parse(match.Groups["n"].Value, CultureInfo.InvariantCulture) * (match.Groups["unit"].Value == "s" ? 1000 : 1))
        : throw Error("a duration is expected, such as 300ms or 1.5s");

    public IEnumerable<ScenarioNode> List => Node is YamlSequenceNode list
        ? list.Children.Select(child => With(child, key, row))
        : throw Error("a list is expected");

    public IEnumerable<ScenarioNode> Pairs => Node is YamlMappingNode map
        ? map.Children.Select(pair => With(pair.Value, With(pair.Key, key, row).Text, row))
        : throw Error("keys with values are expected");

    /// <summary>A list's elements, or the only one.</summary>
    public IEnumerable<ScenarioNode> OneOrMore => IsList ? List : [this];

    private YamlNode Node => node is YamlScalarNode { Value: { } text } && Whole().Match(text) is { Success: true } match && row.TryGetValue(match.Groups["name"].Value, out var value)
        ? value.Node
        : node;

    public static ScenarioNode Load(string file, string text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException exception)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"{file}:{exception.Start.Line}: {exception.Message}"), exception);
        }

        return yaml.Documents is [var only]
            ? new ScenarioNode(file, only.RootNode, "scenario", NoRow)
            : throw new FormatException($"{file}: one scenario in one file.");
    }

    public ScenarioNode WithRow(ScenarioNode next)
    {
        var inner = new Dictionary<string, ScenarioNode>(row, StringComparer.Ordinal);
        foreach (var value in next.IsMap ? next.Pairs : [next.Named("each")])
        {
            inner[value.Key] = value;
        }

        return new ScenarioNode(file, node, key, inner);
    }

    /// <summary>A key's value; null if it is not there. <see cref="End"/> complains of every key that was never asked for.</summary>
    public ScenarioNode? Find(string name)
    {
        _taken.Add(name);
        return Pairs.FirstOrDefault(pair => pair.Key == name);
    }

    public ScenarioNode Get(string name) => Find(name) ?? throw Error($"'{name}' is missing");

    public void End()
    {
        if (Pairs.FirstOrDefault(pair => !_taken.Contains(pair.Key)) is { } unknown)
        {
            throw unknown.Error($"unknown key here; known are {string.Join(", ", _taken)}");
        }
    }

    public FormatException Error(string what) => new($"{Where}: {key}: {what}.");

    /// <summary>As JSON: what is quoted is a string, a plain scalar is a number, true, false or null where it reads like one.</summary>
    public JsonNode? Json()
    {
        switch (Node)
        {
            case YamlMappingNode:
                return new JsonObject(Pairs.Select(pair => KeyValuePair.Create(pair.Key, pair.Json())));
            case YamlSequenceNode:
                return new JsonArray([.. List.Select(element => element.Json())]);
            case YamlScalarNode { Style: ScalarStyle.Plain } when JsonLiteral().IsMatch(Text):
                return JsonNode.Parse(Text);
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or null }:
                return null;
            default:
                return JsonValue.Create(Text);
        }
    }

    private ScenarioNode Named(string name) => new(file, node, name, row);

    private ScenarioNode With(YamlNode child, string name, IReadOnlyDictionary<string, ScenarioNode> rows) => new(file, child, name, rows);

    [GeneratedRegex(@"\$\{(?<name>[A-Za-z]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^\$\{(?<name>[A-Za-z]+)\}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?<n>\d+(\.\d+)?)(?<unit>ms|s)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DurationForm();

    [GeneratedRegex(@"^(null|true|false|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex JsonLiteral();
}
