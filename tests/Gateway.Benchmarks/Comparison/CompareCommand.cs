using System.Runtime.InteropServices;
using Gateway.Benchmarks.Comparison.Report;
using Gateway.Benchmarks.Comparison.Scenarios;

namespace Gateway.Benchmarks.Comparison;

/// <summary>
/// The gateway beside what it is held against, in one run on one machine: starts everything as processes of their own, sees that all
/// answer right, has them take turns under load and writes down what came out. It judges bars, and fails only if something does not work.
/// </summary>
internal static class CompareCommand
{
    private static readonly (string Name, Func<Rig, Task<ScenarioReport>> RunAsync)[] Scenarios =
    [
        ("warm", WarmScenario.RunAsync),
        ("cold-1", ColdScenario.OneAsync),
        ("cold-16", ColdScenario.SixteenAsync),
        ("wide", ColdScenario.WideAsync),
        ("stampede", StampedeScenario.RunAsync),
        ("proxied", ProxiedScenario.RunAsync),
        ("start", StartScenario.RunAsync),
        ("growth", GrowthScenario.RunAsync),
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            return await RunAsync(CompareOptions.Parse(args));
        }
        catch (InvalidOperationException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
        finally
        {
            Child.EndAll();
        }
    }

    private static async Task<int> RunAsync(CompareOptions options)
    {
        if (options.Scenarios.FirstOrDefault(name => !Scenarios.Any(scenario => scenario.Name == name)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"There is no scenario {unknown}. There are: {string.Join(", ", Scenarios.Select(scenario => scenario.Name))}.");
            return 1;
        }

        var machine = Machine.Here(options.Commit);
        Progress.Say($"{machine.Cores} cores, load average {machine.Load:0.00}{(machine.Load > machine.Cores / 4.0 ? ": the machine is busy, so ratios will be noisy" : string.Empty)}");
        var reports = new List<ScenarioReport>();
        var broken = 0;
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Child.EndAll());
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, _ => Child.EndAll());
        await using var rig = await Rig.StartAsync(options);
        foreach (var (name, runAsync) in Scenarios.Where(scenario => options.Scenarios.Count == 0 || options.Scenarios.Contains(scenario.Name)))
        {
            Progress.Say($"{name}");
            try
            {
                reports.Add(await runAsync(rig));
            }
            catch (Exception exception) when (exception is InvalidOperationException or HttpRequestException or OperationCanceledException)
            {
                broken++;
                await Console.Error.WriteLineAsync($"{name} could not be measured: {exception.Message}");
                continue;
            }

            foreach (var bar in reports[^1].Bars)
            {
                Progress.Say($"  {bar.What}: {bar.Value:0.###}{bar.Unit} ({(bar.AtLeast ? "at least" : "at most")} {bar.Limit:0.###}{bar.Unit}): {bar.Verdict}");
            }

            // After each, so that one that breaks later loses nothing.
            await ResultsWriter.WriteAsync(options.Output, machine, options, reports);
        }

        if (reports.Count > 0)
        {
            Progress.Say($"Written: {Path.Combine(options.Output, "results.md")}");
        }

        return broken == 0 ? 0 : 1;
    }
}
