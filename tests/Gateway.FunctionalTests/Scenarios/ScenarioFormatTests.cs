using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>The format is strict, and what is said about the scenarios is so.</summary>
public sealed partial class ScenarioFormatTests
{
    private const string Sound = """
        name: n
        promise: It is so.
        steps:
          - get: /catalog
            expect: {status: 400}
        """;

    [Fact]
    public void A_sound_scenario_is_read() => Assert.Single(Scenario.Parse("x/y", Sound).Steps);

    [Theory]
    [InlineData("name: n", "nam: n", "'name' is missing")]
    [InlineData("name: n", "name: n\nname: m", "Duplicate key")]
    [InlineData("It is so.", "It is so", "promise")]
    [InlineData("steps:", "redis: perhaps\nsteps:", "y.yaml:3: redis: on, off or down")]
    [InlineData("steps:", "colour: red\nsteps:", "y.yaml:3: colour: unknown key")]
    [InlineData("steps:", "given: {faults: {bank: {drop: true}}}\nsteps:", "bank: there are authorization")]
    [InlineData("steps:", "given: {pieces: {}}\nsteps:", "pieces: unknown key")]
    [InlineData("get:", "got:", "a step is one of")]
    [InlineData("get: /catalog", "get: catalog", "get: a method and a path")]
    [InlineData("get: /catalog", "get: /catalog\n    key: mine", "key: admin, proxy, wrong or empty")]
    [InlineData("get: /catalog", "get: /catalog\n    until: soon", "until: a duration")]
    [InlineData("get: /catalog", "get: /catalog\n    twice: true", "y.yaml:5: twice: unknown key")]
    [InlineData("{status: 400}", "{state: 400}", "y.yaml:5: state: unknown key")]
    [InlineData("{status: 400}", "{status: four}", "status: a whole number")]
    [InlineData("{status: 400}", "{json: {a: {equals: 1}}}", "equals: unknown key")]
    [InlineData("{status: 400}", "{json: {a: {}}}", "nothing is expected")]
    [InlineData("{status: 400}", "{headers: {Vary: a, b}}", "b: no value")]
    [InlineData("{status: 400}", "{calls: {bank: 1}}", "bank: there are token")]
    [InlineData("- get: /catalog\n    expect: {status: 400}", "- wait: 1s", "says why")]
    [InlineData("- get: /catalog\n    expect: {status: 400}", "- redis: break", "kill, start, freeze")]
    public void What_is_not_of_the_format_is_refused_by_file_line_and_key(string sound, string wrong, string error)
    {
        var text = Sound.Replace(sound, wrong, StringComparison.Ordinal);
        Assert.NotEqual(Sound, text);

        var exception = Assert.Throws<FormatException>(() => Scenario.Parse("x/y", text));

        Assert.StartsWith("x/y.yaml", exception.Message, StringComparison.Ordinal);
        Assert.Contains(error, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_scenario_is_of_the_format_and_has_a_name_of_its_own()
    {
        var scenarios = Scenario.Files.Select(Scenario.Load).ToList();

        Assert.Equal(scenarios.Count, scenarios.Select(scenario => scenario.Name).Distinct(StringComparer.Ordinal).Count());
        Assert.All(scenarios, scenario => Assert.NotEmpty(scenario.Steps));
    }

    [Fact]
    public void The_count_that_is_stated_is_the_real_one()
    {
        var stated = Count().Match(File.ReadAllText(Path.Combine(Scenario.Folder, "README.md")));

        Assert.Equal(Scenario.Files.Count().ToString(CultureInfo.InvariantCulture), stated.Groups["count"].Value);
    }

    [Fact]
    public void Every_promise_of_the_README_links_to_what_keeps_it()
    {
        var text = File.ReadAllText(Path.Combine(Programs.Root, "README.md"));
        var from = text.IndexOf("## What it promises", StringComparison.Ordinal);
        var section = text[from..text.IndexOf("\n## ", from + 1, StringComparison.Ordinal)];
        var promises = section.Split("\n- ").Skip(1).ToList();

        Assert.InRange(promises.Count, 10, 25);
        Assert.All(promises, promise =>
        {
            var links = Link().Matches(promise).Select(link => link.Groups["path"].Value).ToList();
            Assert.True(links.Count > 0, $"Nothing keeps this: {promise}");
            Assert.All(links, link => Assert.True(Path.Exists(Path.Combine(Programs.Root, link)), $"{link} does not exist"));
        });
    }

    [GeneratedRegex(@"(?<count>\d+) files", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Count();

    [GeneratedRegex(@"\]\((?<path>[^)#]+)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();
}
