using System.Text.RegularExpressions;

namespace Gateway.Tests;

/// <summary>The arrows of the design: who may know whom. A folder of src/Gateway is a part; the base folders know none but themselves.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] Base = ["Problems", "Configuration", "Iso", "Observability"];

    /// <summary>What each part may know besides itself and the base. Hosting is known by Program alone, so it is in no list.</summary>
    private static readonly Dictionary<string, string[]> MayKnow = new(StringComparer.Ordinal)
    {
        ["Problems"] = [],
        ["Configuration"] = [],
        ["Iso"] = [],
        ["Observability"] = ["Configuration"],
        ["Customer"] = Base,
        ["Caching"] = Base,

        // The way out, for whoever calls by http.
        ["Egress"] = Base,

        // The clients' limits are kept in Redis.
        ["Security"] = ["Caching", .. Base],
        ["AccessTokens"] = ["Caching", "Egress", .. Base],
        ["Upstreams"] = ["AccessTokens", "Egress", .. Base],

        // The two-level cache is what Catalog and AccessTokens stand on.
        ["Catalog"] = ["Upstreams", "Caching", "Security", "Customer", .. Base],
        ["Proxy"] = ["Upstreams", "AccessTokens", "Egress", "Security", "Customer", .. Base],
        ["Hosting"] = ["Catalog", "Proxy", "Upstreams", "AccessTokens", "Caching", "Egress", "Security", "Customer", .. Base],
    };

    [Fact]
    public void The_arrows_of_the_design_hold()
    {
        var violations = SourceFiles().SelectMany(file => Violations(file.Part, file.Text).Select(known => $"{file.Path} knows {known}"));

        Assert.Empty(violations);
    }

    [Fact]
    public void Every_folder_is_a_known_part_and_only_Program_lies_beside_them() =>
        Assert.All(SourceFiles(), file => Assert.True(MayKnow.ContainsKey(file.Part) || file.Path == "Program.cs", file.Path));

    [Fact]
    public void The_sources_are_found()
    {
        var parts = SourceFiles().Select(file => file.Part).ToHashSet(StringComparer.Ordinal);

        Assert.Superset(MayKnow.Keys.ToHashSet(StringComparer.Ordinal), parts);
    }

    [Fact]
    public void Every_namespace_is_that_of_its_folder() =>
        Assert.All(
            SourceFiles().Where(file => file.Path != "Program.cs"),
            file => Assert.Contains($"namespace Gateway.{Path.GetDirectoryName(file.Path)!.Replace('/', '.').Replace('\\', '.')};", file.Text, StringComparison.Ordinal));

    /// <summary>The walks of a request in docs/architecture.md: every step is a file, and there are no more of them than were promised.</summary>
    [Theory]
    [InlineData("warm", 8)]
    [InlineData("cold", 24)]
    public void The_path_of_a_request_is_as_short_as_the_docs_say(string walk, int most)
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "architecture.md"));
        var steps = page.Split($"```text {walk}\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]).ToList();

        Assert.InRange(steps.Count, 1, most);
        Assert.All(steps, step => Assert.True(File.Exists(Path.Combine(RepositoryRoot(), "src", "Gateway", step + ".cs")), step));
    }

    /// <summary>Whoever reads the wall clock says why in docs/architecture.md: it can be set.</summary>
    [Fact]
    public void Wall_time_is_read_where_the_docs_say_and_nowhere_else()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "architecture.md"));
        var listed = page.Split("```text wall\n")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0] + ".cs");

        Assert.Equal(listed, SourceFiles().Where(file => file.Text.Contains("GetUtcNow(", StringComparison.Ordinal)).Select(file => file.Path.Replace('\\', '/')).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Iso", "using Gateway.Catalog;", "Catalog")]
    [InlineData("Iso", "using Gateway.Upstreams.Billing;", "Upstreams")]
    [InlineData("Iso", "global using Gateway.Catalog;", "Catalog")]
    [InlineData("Iso", "using static Gateway.Catalog.ProductId;", "Catalog")]
    [InlineData("Iso", "using Item = Gateway.Catalog.CatalogItem;", "Catalog")]
    [InlineData("Iso", "using Item = global::Gateway.Catalog.CatalogItem;", "Catalog")]
    [InlineData("Problems", "var x = new Gateway.Catalog.CatalogItem();", "Catalog")]
    [InlineData("Problems", "var x = new global::Gateway.Catalog.CatalogItem();", "Catalog")]
    [InlineData("Problems", "var x = Iso.Period.Units;", "Iso")]
    [InlineData("Problems", "Upstreams.Billing.BillingClient? x = null;", "Upstreams")]
    [InlineData("Problems", "foo(Catalog.ProductId.Allowed);", "Catalog")]
    [InlineData("Problems", "List<Catalog.CatalogItem> x;", "Catalog")]
    [InlineData("Problems", "[Catalog.Something]", "Catalog")]
    [InlineData("Problems", "var x = !Catalog.ProductId.IsValid(y);", "Catalog")]
    [InlineData("Problems", "var x = Catalog\n    .ProductId.IsValid(y);", "Catalog")]
    [InlineData("Problems", "var x = $\"{Catalog.ProductId.Allowed}\";", "Catalog")]
    [InlineData("Catalog", "using Gateway.Proxy;", "Proxy")]
    [InlineData("Catalog", "using Gateway.AccessTokens;", "AccessTokens")]
    [InlineData("Catalog", "using Gateway.Hosting;", "Hosting")]
    [InlineData("Proxy", "using Gateway.Catalog;", "Catalog")]
    [InlineData("Proxy", "using Gateway.Caching;", "Caching")]
    [InlineData("Upstreams", "using Gateway.Catalog;", "Catalog")]
    [InlineData("Upstreams", "using Gateway.Caching;", "Caching")]
    [InlineData("AccessTokens", "using Gateway.Upstreams;", "Upstreams")]
    [InlineData("Caching", "using Gateway.AccessTokens;", "AccessTokens")]
    [InlineData("Iso", "using Gateway.Problems;", "Problems")]
    [InlineData("Configuration", "using Gateway.Hosting;", "Hosting")]
    [InlineData("Caching", "using Gateway.Security;", "Security")]
    [InlineData("Upstreams", "Security.UpstreamBulkhead? x = null;", "Security")]
    [InlineData("Observability", "using Gateway.Upstreams;", "Upstreams")]
    public void A_planted_violation_is_found(string part, string text, string known) =>
        Assert.Equal(known, Assert.Single(Violations(part, $"namespace Gateway.{part};\n\n{text}\n")));

    [Theory]
    [InlineData("Catalog", "using Gateway.Upstreams.Billing;")]
    [InlineData("Catalog", "using Gateway.Iso;")]
    [InlineData("Catalog", "var x = Iso.Period.Units;")]
    [InlineData("Catalog", "using Gateway.Catalog;")]
    [InlineData("Proxy", "using Gateway.AccessTokens;")]
    [InlineData("Hosting", "using Gateway.Catalog;")]
    [InlineData("Iso", "using Microsoft.Extensions.Caching.Memory;")]
    [InlineData("Iso", "using Microsoft.Extensions.Configuration;")]
    [InlineData("Iso", "using System.Catalog.Upstreams;")]
    [InlineData("Iso", "// as Catalog.ProductId does")]
    [InlineData("Iso", "/// <summary>See <c>Catalog:Products</c> and Catalog.ProductId.</summary>")]
    [InlineData("Iso", "/* using Gateway.Catalog; */")]
    [InlineData("Iso", "var x = \"Catalog.Products\";")]
    [InlineData("Iso", "var x = options.Catalog.Deadline;")]
    [InlineData("Iso", "var x = options?.Catalog.Deadline;")]
    [InlineData("Iso", "var x = MyCatalog.Deadline;")]
    public void What_is_allowed_or_no_code_at_all_is_no_violation(string part, string text) =>
        Assert.Empty(Violations(part, $"namespace Gateway.{part};\n\n{text}\n"));

    /// <summary>The parts that a file of <paramref name="part"/> knows and must not.</summary>
    private static IEnumerable<string> Violations(string part, string text)
    {
        var allowed = MayKnow.GetValueOrDefault(part) ?? [.. MayKnow.Keys];
        return Known(text).Where(known => known != part && !allowed.Contains(known, StringComparer.Ordinal)).Distinct(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Known(string text)
    {
        var code = CommentOrString().Replace(text, match =>
            match.Value.StartsWith('/') ? " " : match.Value.StartsWith('$') ? string.Join(' ', Hole().Matches(match.Value).Select(hole => hole.Value)) : "\"\"");
        var declared = Declaration().Replace(code, string.Empty);
        return Qualified.Matches(declared).Select(match => match.Groups["part"].Value);
    }

    private static List<(string Path, string Part, string Text)> SourceFiles()
    {
        var root = Path.Combine(RepositoryRoot(), "src", "Gateway");
        return
        [
            .. from path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
               let relative = Path.GetRelativePath(root, path)
               let part = relative.Split(Path.DirectorySeparatorChar)[0]
               where part is not ("obj" or "bin")
               select (relative, part, File.ReadAllText(path)),
        ];
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Gateway.sln is in no folder above the tests.");
    }

    [GeneratedRegex(
        """(?<c>//[^\n]*|/\*[\s\S]*?\*/|\$*"{3,}[\s\S]*?"{3,}|\$?@"(?:[^"]|"")*"|@\$"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')""",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5_000)]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"\{[^{}]*\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex Hole();

    [GeneratedRegex(@"^\s*namespace\s+[\w.]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex Declaration();

    /// <summary><c>Gateway.Part</c> anywhere, and <c>Part.</c> that is not itself part of a longer name; parts are those of the table.</summary>
    private static readonly Regex Qualified = new(
        $@"(?<![\w.])(global::)?Gateway\s*\.\s*(?<part>{Parts})\b|(?<![\w.])(?<part>{Parts})\s*\.\s*[A-Z]",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        TimeSpan.FromSeconds(5));

    private static string Parts => string.Join('|', MayKnow.Keys);
}
