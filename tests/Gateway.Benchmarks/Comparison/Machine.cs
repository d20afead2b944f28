using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Benchmarks.Comparison;

/// <summary>Where and of what it was measured.</summary>
internal sealed record Machine(
    DateTimeOffset Date, string Commit, int Cores, string Processor, string Kernel, string Runtime, double Load)
{
    public static Machine Here(string commit) => new(
        TimeProvider.System.GetUtcNow(),
        commit,
        Environment.ProcessorCount,
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown",
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.FrameworkDescription.Replace(".NET ", string.Empty, StringComparison.Ordinal),
        LoadAverage());

    /// <summary>Of the last minute.</summary>
    public static double LoadAverage() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);
}
