using System.Net;
using Gateway.Benchmarks.Comparison.Load;
using Gateway.Benchmarks.Comparison.Report;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>An answer that is ready, again and again.</summary>
internal static class WarmScenario
{
    private const int Connections = 64;
    private const string Question = "catalog?product=warm_product&country=DE";
    private const string Origin = "https://shop.example";

    public static async Task<ScenarioReport> RunAsync(Rig rig)
    {
        var report = new ScenarioReport(
            "warm",
            "A warm answer",
            Invariant($"One question for 12 components, {Connections} connections, answered from memory. The gateway has rate limits, CORS, Redis and its default logging on; the floor is bare Kestrel writing the same bytes."));

        // Fresh for as long as this lasts, so that no turn has a refresh in it and another has not.
        await rig.SetAsync(0, 12);
        await using var gateway = await rig.StartGatewayAsync(("Catalog__FreshFor", "01:00:00"));
        await using var first = await rig.StartAsync("floor", []);
        var body = await Answers.SameAsync(gateway, first, "warm_product", 12);
        var file = rig.PathOf("warm.json");
        await File.WriteAllBytesAsync(file, body);

        await using var floor = await rig.StartAsync("floor", ["--body", file]);
        await using var lua = await FrontServers.LuaNginxAsync(rig, file, "warm_product", "DE");
        await using var nginx = await FrontServers.StaticNginxAsync(rig, file);
        await using var haproxy = await FrontServers.StaticHaproxyAsync(rig, file);

        // Everybody says the same.
        var (answer, _) = await gateway.GetAsync(Question, headers: ("Origin", Origin));
        await Answers.IsAsync(gateway, Question, body);
        await Answers.IsAsync(floor, "warm", body);
        var etag = answer.Headers.ETag!.ToString();
        await gateway.GetAsync(Question, HttpStatusCode.NotModified, ("If-None-Match", etag));
        var (zipped, compressed) = await gateway.GetAsync(Question, headers: ("Accept-Encoding", "gzip"));
        if (!zipped.Content.Headers.ContentEncoding.Contains("gzip") || !answer.Headers.Contains("Access-Control-Allow-Origin"))
        {
            throw new InvalidOperationException("The gateway did not compress, or did not allow the origin.");
        }

        List<LoadTarget> targets =
        [
            new("floor", floor, "warm"),
            new("floor, again", floor, "warm"),
            new("gateway", gateway, Question),
            new("gateway, asked by a page", gateway, Question, "Origin: " + Origin),
            new("gateway, gzip", gateway, Question, "Accept-Encoding: gzip"),
            new("gateway, 304", gateway, Question, "If-None-Match: " + etag),
        ];
        foreach (var (name, subject, path) in new[] { ("nginx + Lua", lua, Question), ("nginx, a file", nginx, "static"), ("haproxy, a file", haproxy, "static") })
        {
            if (subject is null)
            {
                report.Notes.Add($"Not installed: {name}.");
                continue;
            }

            await Answers.IsAsync(subject, path, body);
            targets.Add(new LoadTarget(name, subject, path));
        }

        var series = await Rounds.RunAsync(rig, Connections, targets);
        var (bare, mine) = (series[0], series[2]);
        LoadTable.Add(report, series, bare, "floor");
        LoadTable.AddNoise(report, bare, series[1]);
        report.Notes.Add(Invariant($"The body: {body.Length:#,0} bytes, {compressed.Length:#,0} with gzip."));
        report.Bars.Add(new Bar("requests/s, of the floor's", mine.Ratio(bare, sample => sample.RequestsPerSecond), 0.95, AtLeast: true));
        report.Bars.Add(new Bar("CPU per request, of the floor's", mine.Ratio(bare, sample => sample.ProcessorMicroseconds), 1.10));
        report.Bars.Add(new Bar("p99, of the floor's", mine.Ratio(bare, sample => sample.P99), 1.3));
        report.Bars.Add(new Bar("requests/s of a 304, of the warm 200's", series[5].Ratio(mine, sample => sample.RequestsPerSecond), 1, AtLeast: true));
        if (series.FirstOrDefault(one => one.Name == "nginx + Lua") is { } scripted)
        {
            report.Bars.Add(new Bar("requests/s, of nginx + Lua's", mine.Ratio(scripted, sample => sample.RequestsPerSecond), 1, AtLeast: true, IsStretch: true));
        }

        var shown = series.Where(one => one.Name != "floor, again").ToList();
        report.Charts.Add(new Chart("warm-throughput", "A warm answer: requests per second", "12 components, 64 connections; more is better",
            [.. shown.Select(one => new ChartValue(one.Name, one.Median(sample => sample.RequestsPerSecond)))]));
        report.Charts.Add(new Chart("warm-cpu", "A warm answer: CPU per request", "µs of the server's process; less is better",
            [.. shown.Select(one => new ChartValue(one.Name, one.Median(sample => sample.ProcessorMicroseconds)))]));
        return report;
    }
}
