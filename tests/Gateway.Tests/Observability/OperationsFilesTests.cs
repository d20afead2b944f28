using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Observability;
using Gateway.Tests.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Observability;

/// <summary>
/// Dashboard, alerts and docs/operations.md against the instruments that there are: the gateway's own, and those that ASP.NET Core and
/// the runtime publish under the meters that are exported.
/// </summary>
public sealed partial class OperationsFilesTests : IAsyncLifetime
{
    /// <summary>Names of attributes that look like those of metrics.</summary>
    private static readonly string[] Attributes =
        ["gateway.catalog.cache", "gateway.catalog.completeness", "gateway.catalog.items", "gateway.catalog.complete", "aspnetcore.rate_limiting.result"];

    private static readonly string[] ResourceLabels = ["job", "instance", "le"];

    /// <summary>What ASP.NET Core and the runtime measure by themselves and the docs name.</summary>
    private static readonly string[] PlatformMeters =
        ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.RateLimiting", "System.Runtime"];

    private static readonly string Root = RepositoryRoot();
    private static readonly string Operations = File.ReadAllText(Path.Combine(Root, "docs", "operations.md"));

    private readonly Dictionary<string, Instrument> _instruments = new(StringComparer.Ordinal);

    private IEnumerable<Instrument> Own => _instruments.Values.Where(instrument => instrument.Meter.Name == Metrics.Name);

    public async ValueTask InitializeAsync()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == Metrics.Name || PlatformMeters.Contains(instrument.Meter.Name, StringComparer.Ordinal))
                {
                    lock (_instruments)
                    {
                        _instruments[instrument.Name] = instrument;
                    }
                }
            },
        };
        listener.Start();

        // Instruments of code that has not run yet do not exist.
        RuntimeHelpers.RunClassConstructor(typeof(Metrics).TypeHandle);
        using var test = new CatalogUnderTest();
        test.StateGauges.Register();

        // A server, because what one does not use is not published.
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["Serilog:MinimumLevel:Default"] = "Fatal";
        await using var logging = Logging.AddTo(builder);
        builder.Services.AddRateLimiter(_ => { });
        await using var server = builder.Build();
        server.UseRateLimiter();
        await server.StartAsync(TestContext.Current.CancellationToken);
        await server.StopAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public void Every_meter_that_is_exported_has_instruments()
    {
        Assert.True(Own.Count() >= 20);
        Assert.All(PlatformMeters, meter => Assert.Contains(_instruments.Values, instrument => instrument.Meter.Name == meter));
    }

    [Fact]
    public void Every_metric_of_the_code_is_in_the_docs_with_its_unit_and_kind() =>
        Assert.All(Own, instrument =>
        {
            var row = Rows().SingleOrDefault(row => row.Name == instrument.Name);
            Assert.True(row is not null, instrument.Name);
            Assert.Equal((instrument.Name, instrument.Unit ?? "none", Kind(instrument)), (row.Name, row.Unit, row.Cells[2]));
        });

    [Fact]
    public void The_docs_name_no_metric_that_does_not_exist()
    {
        var prometheus = Prometheus();
        var names = Quoted().Matches(Operations).Select(match => match.Groups["name"].Value).ToList();

        Assert.All(names.Where(name => OpenTelemetryName().IsMatch(name)).Except(Attributes, StringComparer.Ordinal), name => Assert.Contains(name, _instruments.Keys));
        Assert.All(names.Where(name => PrometheusName().IsMatch(name)), name => Assert.Contains(name, prometheus));
        Assert.All(Rows(), row => Assert.Equal((row.Name, row.Unit), (row.Name, _instruments[row.Name].Unit ?? "none")));
        Assert.True(Rows().Count > Own.Count());
    }

    [Fact]
    public async Task Every_tag_that_is_used_is_in_the_docs_with_its_value()
    {
        using var metrics = new MetricRecorder();
        using var test = new CatalogUnderTest();
        test.StateGauges.Register();
        await test.AskAsync();
        test.Paymentwall.Status = System.Net.HttpStatusCode.Forbidden;
        await test.AskAsync(Given.Request() with { Country = "FR" });
        metrics.Collect();

        Assert.NotEmpty(metrics.TagsOf("gateway.upstream.duration"));
        foreach (var instrument in Own)
        {
            var documented = string.Join(' ', Rows().Single(row => row.Name == instrument.Name).Cells).Replace("`upstream` as above", "`upstream`: `billing`, `paymentwall`, `authorization`", StringComparison.Ordinal);
            Assert.All(metrics.TagsOf(instrument.Name).SelectMany(tags => tags.Split(',', StringSplitOptions.RemoveEmptyEntries)), tag =>
            {
                var (name, value) = (tag.Split('=')[0], tag.Split('=')[1]);
                Assert.True(documented.Contains($"`{name}`", StringComparison.Ordinal) && documented.Contains($"`{value}`", StringComparison.Ordinal), $"{instrument.Name}: {tag}");
            });
        }
    }

    [Fact]
    public void Every_metric_and_label_of_the_dashboard_exists()
    {
        var expressions = DashboardExpressions();

        Assert.True(expressions.Count > 30);
        Assert.All(expressions, Exists);
    }

    [Fact]
    public void Every_metric_of_the_code_is_on_the_dashboard()
    {
        var shown = DashboardExpressions().SelectMany(expression => Read(expression).Names).ToHashSet(StringComparer.Ordinal);

        Assert.All(Own, instrument => Assert.True(Names(instrument).Any(shown.Contains), instrument.Name));
    }

    [Fact]
    public void Every_panel_says_what_it_shows_and_has_a_unit()
    {
        var panels = Panels().Where(panel => (string?)panel["type"] != "row").ToList();

        Assert.Equal(panels.Count, panels.Select(panel => (string?)panel["title"]).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Panels().Count, Panels().Select(panel => (int)panel["id"]!).Distinct().Count());
        Assert.All(panels, panel =>
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)panel["title"]));
            Assert.False(string.IsNullOrWhiteSpace((string?)panel["description"]));
            Assert.False(string.IsNullOrWhiteSpace((string?)panel["fieldConfig"]!["defaults"]!["unit"]));
            Assert.Equal("${datasource}", (string?)panel["datasource"]!["uid"]);
        });
        Assert.Equal(["Overview", "Upstreams", "Cache", "Tokens", "Redis", "Drift", "Process"], Panels().Where(panel => (string?)panel["type"] == "row").Select(row => (string?)row["title"]));
    }

    [Fact]
    public void Every_metric_and_label_of_the_alerts_exists()
    {
        var expressions = AlertExpressions();

        Assert.Equal(File.ReadLines(AlertsPath).Count(line => line.Contains("- alert:", StringComparison.Ordinal)), expressions.Count);
        Assert.All(expressions, Exists);
    }

    [Fact]
    public void Every_alert_says_why_its_threshold_is_what_it_is_and_where_to_read_on()
    {
        var alerts = File.ReadAllText(AlertsPath).Split("- alert:")[1..];

        Assert.All(alerts, alert =>
        {
            Assert.Matches(@"\n\s+for: \d", alert);
            Assert.Matches(@"severity: (page|ticket) ", alert);
            Assert.Matches(@"summary: \S", alert);
            Assert.Matches(@"threshold: \S", alert);
            var symptoms = Runbook().Match(alert).Groups["symptoms"].Value;
            Assert.NotEmpty(symptoms);
            Assert.All(symptoms.Split(", "), symptom => Assert.Contains("**" + symptom, Operations, StringComparison.Ordinal));
        });
    }

    [Theory]
    [InlineData("rate(gateway_nothing_total[5m])")]
    [InlineData("sum by (nothing) (gateway_redis_up)")]
    [InlineData("gateway_redis_up{nothing=\"1\"}")]
    [InlineData("gateway_upstream_duration{job=\"gateway\"}")]
    [InlineData("gateway_cache_size_bytes_total / gateway_cache_size_bytes")]
    public void What_does_not_exist_would_be_found(string expression) => Assert.ThrowsAny<Exception>(() => Exists(expression));

    private static string AlertsPath => Path.Combine(Root, "deploy", "observability", "alerts.yaml");

    private static List<JsonNode> Panels() =>
        [.. JsonNode.Parse(File.ReadAllText(Path.Combine(Root, "deploy", "observability", "dashboard.json")))!["panels"]!.AsArray().Select(panel => panel!)];

    private static List<string> DashboardExpressions() =>
    [
        .. Panels().SelectMany(panel => panel["targets"]?.AsArray() ?? []).Select(target => (string)target!["expr"]!),
        .. JsonNode.Parse(File.ReadAllText(Path.Combine(Root, "deploy", "observability", "dashboard.json")))!["templating"]!["list"]!.AsArray()
            .Select(variable => variable!["definition"]).OfType<JsonNode>().Select(definition => (string)definition!),
    ];

    /// <summary>The little of YAML that the file needs: <c>expr: X</c>, or <c>expr: |</c> and what is indented more.</summary>
    private static List<string> AlertExpressions()
    {
        var expressions = new List<string>();
        var lines = File.ReadAllLines(AlertsPath);
        for (var number = 0; number < lines.Length; number++)
        {
            if (Expression().Match(lines[number]) is not { Success: true } match)
            {
                continue;
            }

            var indent = match.Groups["indent"].Length;
            expressions.Add(match.Groups["value"].Value != "|"
                ? match.Groups["value"].Value
                : string.Join('\n', lines.Skip(number + 1).TakeWhile(line => line.Length > indent && string.IsNullOrWhiteSpace(line[..(indent + 1)]))));
        }

        return expressions;
    }

    /// <summary>The rows of the tables of metrics.</summary>
    private static List<Row> Rows() =>
    [
        .. Operations.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Trim('|', ' ').Split(" |").Select(cell => cell.Trim()).ToArray())
            .Select(cells => new Row(cells[0].Trim('`'), cells[1].Trim('`'), cells)).Where(row => OpenTelemetryName().IsMatch(row.Name)),
    ];

    /// <summary>What the collector's Prometheus exporter makes of a name.</summary>
    private static string[] Names(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_') + instrument.Unit switch
        {
            null or "" => string.Empty,
            "s" => "_seconds",
            "By" => "_bytes",
            ['{', .., '}'] => string.Empty,
            _ => throw new InvalidOperationException($"The suffix of {instrument.Unit} is to be looked up."),
        };
        return Kind(instrument) switch
        {
            "histogram" => [name + "_bucket", name + "_sum", name + "_count"],
            "counter" => [name + "_total"],
            _ => [name],
        };
    }

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Histogram" => "histogram",
        "Counter" or "ObservableCounter" => "counter",
        "UpDownCounter" or "ObservableUpDownCounter" => "up-down counter",
        "ObservableGauge" or "Gauge" => "gauge",
        var other => throw new InvalidOperationException(other),
    };

    /// <summary>The names of metrics and labels in an expression of Prometheus.</summary>
    private static (List<string> Names, List<string> Labels) Read(string expression)
    {
        var bare = Text().Replace(expression, "\"\"");
        List<string> labels =
        [
            .. Matchers().Matches(bare).SelectMany(match => Label().Matches(match.Value).Select(label => label.Groups["name"].Value)),
            .. Grouping().Matches(bare).SelectMany(match => match.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries)),
        ];
        if (LabelValues().Match(bare) is { Success: true } values)
        {
            labels.Add(values.Groups["label"].Value);
            bare = values.Groups["metric"].Value;
        }

        bare = Range().Replace(Grouping().Replace(Matchers().Replace(bare, " "), " "), " ");
        return ([.. Word().Matches(bare).Select(match => match.Value).Where(word => word is not ("and" or "or" or "unless" or "bool"))], labels);
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

    private void Exists(string expression)
    {
        var (names, labels) = Read(expression);
        var known = Prometheus();
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.True(known.Contains(name), $"{name} in {expression}"));

        // A label is a tag of one of the metrics, as their row in the docs has it.
        var tags = _instruments.Values.Where(instrument => Names(instrument).Any(names.Contains))
            .SelectMany(instrument => Rows().Where(row => row.Name == instrument.Name))
            .SelectMany(row => Quoted().Matches(string.Join('|', row.Cells[2..])).Select(match => match.Groups["name"].Value.Replace('.', '_')))
            .Concat(ResourceLabels).ToHashSet(StringComparer.Ordinal);
        Assert.All(labels, label => Assert.True(tags.Contains(label), $"{label} in {expression}"));
    }

    private HashSet<string> Prometheus() => [.. _instruments.Values.SelectMany(Names)];

    [GeneratedRegex("`(?<name>[^`\n]+)`", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^(gateway|http\.server|kestrel|aspnetcore|dotnet)\.[a-z0-9_.]+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OpenTelemetryName();

    [GeneratedRegex("^(gateway|http_server|kestrel|aspnetcore|dotnet)_[a-z0-9_]+$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PrometheusName();

    [GeneratedRegex("^(?<indent> *)expr: (?<value>.+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Expression();

    [GeneratedRegex("runbook: \"docs/operations\\.md: (?<symptoms>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Runbook();

    [GeneratedRegex("\"[^\"]*\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Text();

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Matchers();

    [GeneratedRegex(@"(?<name>\w+)\s*(=|!)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Label();

    [GeneratedRegex(@"\b(by|without|on|ignoring)\s*\((?<labels>[^)]*)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Grouping();

    [GeneratedRegex(@"^label_values\((?<metric>.+),\s*(?<label>\w+)\)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\[[^\]]*\]", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Range();

    [GeneratedRegex(@"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();

    private sealed record Row(string Name, string Unit, string[] Cells);
}
