using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>A story in YAML: what is there, what is done, what must come of it. README.md beside it describes the format.</summary>
internal sealed class Scenario
{
    private Scenario(string file, ScenarioNode node)
    {
        File = file;
        Name = node.Get("name").Text;
        Promise = node.Get("promise").Text;
        if (!Promise.EndsWith('.'))
        {
            throw node.Error("the promise is one sentence and ends like one");
        }

        Settings = node.Find("gateway")?.Pairs.Select(pair => (pair.Key, Value: pair.Text)).ToArray() ?? [];
        Gateways = node.Find("gateways")?.Number ?? 1;
        Redis = node.Find("redis")?.Text ?? "on";
        if (Redis is not ("on" or "off" or "down"))
        {
            throw node.Get("redis").Error("on, off or down is expected");
        }

        var isFresh = node.Find("fresh")?.Flag ?? false;
        node.Find("why");
        Given = node.Find("given") is { } given ? ScenarioStep.ReadWorld(given) : [];
        Steps = [.. node.Get("steps").List.SelectMany(ScenarioStep.Read)];
        node.End();
        OwnsRedis = Steps.Any(step => step.Breaks == "redis");
        IsFresh = isFresh || OwnsRedis || Gateways > 1 || Redis != "on" || Steps.Any(step => step.Breaks is not null);
    }

    public static string Folder { get; } = Path.Combine(Programs.Root, "tests", "Gateway.FunctionalTests", "Scenarios");

    /// <summary>Relative to the folder, without the extension.</summary>
    public string File { get; }

    public string Name { get; }

    public string Promise { get; }

    public IReadOnlyList<(string Key, string Value)> Settings { get; }

    public int Gateways { get; }

    /// <summary><c>on</c>; <c>off</c>: none is configured; <c>down</c>: one is configured where nobody listens.</summary>
    public string Redis { get; }

    public bool OwnsRedis { get; }

    /// <summary>Its gateways are its own, just started; else one that others used before, with everything purged.</summary>
    public bool IsFresh { get; }

    /// <summary>Scenarios of the same cast may have the same gateway one after the other.</summary>
    public string Cast => IsFresh ? File : string.Join('\n', Settings.Select(setting => $"{setting.Key}={setting.Value}"));

    public IReadOnlyList<ScenarioStep> Given { get; }

    public IReadOnlyList<ScenarioStep> Steps { get; }

    public static IEnumerable<string> Files => Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories)
        .Select(path => Path.ChangeExtension(Path.GetRelativePath(Folder, path), extension: null))
        .Order(StringComparer.Ordinal);

    public static Scenario Load(string file) => Parse(file, System.IO.File.ReadAllText(Path.Combine(Folder, file + ".yaml")));

    /// <exception cref="FormatException">It is not of the format; the message names file, line and key.</exception>
    public static Scenario Parse(string file, string text) => new(file, ScenarioNode.Load(file + ".yaml", text));
}
