using System.Globalization;

namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>Steady load by wrk: each connection asks again as soon as it is answered.</summary>
internal static class Wrk
{
    /// <summary>Without a request function wrk repeats one request that it made once, which costs it least.</summary>
    private const string Done = """
        function done(summary, latency, requests)
          local e = summary.errors
          io.write(string.format("\nRESULT %d %d %d %.0f %.0f\n", summary.requests, summary.duration,
            e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
        end
        """;

    private const string Unique = Done + """

        local threads, n = 0, 0
        function setup(thread) thread:set("id", threads); threads = threads + 1 end
        function init(args) before, after = args[1], args[2] or "" end
        function request() n = n + 1; return wrk.format("GET", before .. id .. "-" .. n .. after) end
        """;

    private static int _run;

    public static async Task<LoadSample> RunAsync(Rig rig, LoadTarget target, int connections, double seconds)
    {
        var parts = target.Path.Split("{n}");
        var script = rig.PathOf(parts.Length > 1 ? "unique.lua" : "done.lua");
        await File.WriteAllTextAsync(script, parts.Length > 1 ? Unique : Done);

        // As many load generators as would leave the subject none were there more than two.
        var threads = Math.Min(connections, Math.Min(2, Environment.ProcessorCount));
        var before = await rig.CallsAsync();
        var processor = target.Subject.Process.ProcessorTime();
        var output = await Tool.RunAsync("wrk", [
            "-t", Invariant($"{threads}"), "-c", Invariant($"{connections}"), "-d", Invariant($"{seconds}s"), "--timeout", "30s", "-s", script,
            .. target.Headers.SelectMany(header => (string[])["-H", header]),
            target.Subject.At(parts.Length > 1 ? "/" : target.Path).AbsoluteUri,
            .. parts.Length > 1 ? (string[])["--", Invariant($"/{parts[0]}r{++_run}-"), parts[1]] : []]);
        processor = target.Subject.Process.ProcessorTime() - processor;
        var after = await rig.CallsAsync();
        var line = output.Split('\n').Single(line => line.StartsWith("RESULT ", StringComparison.Ordinal));
        long[] figures = [.. line.Split(' ').Skip(1).Select(figure => long.Parse(figure, CultureInfo.InvariantCulture))];
        double requests = Math.Max(1, figures[0]);
        return new LoadSample(
            figures[0], figures[1] / 1e6, figures[2], figures[3] / 1e3, figures[4] / 1e3, processor.TotalMicroseconds / requests,
            (after.Lists - before.Lists) / requests, (after.Prices - before.Prices) / requests);
    }
}
