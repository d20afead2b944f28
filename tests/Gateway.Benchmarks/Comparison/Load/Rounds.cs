namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>Side by side: A B C, A B C, …, so that what the machine does meanwhile hits all alike.</summary>
internal static class Rounds
{
    /// <summary>Of load on each subject before anything is measured.</summary>
    private const int WarmUpSeconds = 30;

    public static async Task<IReadOnlyList<LoadSeries>> RunAsync(Rig rig, int connections, IReadOnlyList<LoadTarget> targets)
    {
        var samples = targets.Select(_ => new List<LoadSample>()).ToList();
        foreach (var subject in targets.GroupBy(target => target.Subject))
        {
            await WarmUpAsync(rig, connections, [.. subject]);
        }

        for (var round = 1; round <= rig.Options.Rounds; round++)
        {
            for (var index = 0; index < targets.Count; index++)
            {
                var sample = await Wrk.RunAsync(rig, targets[index], connections, rig.Options.Seconds);
                samples[index].Add(sample);
                Progress.Say($"  {round}/{rig.Options.Rounds} {targets[index].Name}: {sample.RequestsPerSecond:0} requests/s, {sample.ProcessorMicroseconds:0.0} µs each, p50 {sample.P50:0.00} ms, p99 {sample.P99:0.00} ms{(sample.Errors > 0 ? Invariant($", {sample.Errors} errors") : string.Empty)}");
            }
        }

        return [.. targets.Select((target, index) => new LoadSeries(target.Name, samples[index]))];
    }

    /// <summary>Until what is compiled at run time is compiled, which goes by the number of calls, and has to wait for a processor.</summary>
    public static async Task WarmUpAsync(Rig rig, int connections, IReadOnlyList<LoadTarget> targetsOfOneSubject)
    {
        foreach (var target in targetsOfOneSubject)
        {
            await Wrk.RunAsync(rig, target, Math.Max(connections, 16), WarmUpSeconds / targetsOfOneSubject.Count);
        }
    }
}
