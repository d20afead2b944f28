using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace Gateway.Benchmarks.Micro;

/// <summary>
/// What single parts cost. In this process, so that nothing is generated and built on the way, and short: to see what changed by a
/// tenth, not by a hundredth. Allocations are exact.
/// </summary>
internal static class MicroCommand
{
    /// <param name="args">BenchmarkDotNet's own; <c>--filter</c> is <c>*</c> by default.</param>
    public static int Run(string[] args)
    {
        var config = ManualConfig.CreateMinimumViable()
            .AddJob(Job.Default
                .WithToolchain(InProcessEmitToolchain.Instance)
                .WithWarmupCount(5)
                .WithIterationCount(10)
                .WithIterationTime(TimeInterval.FromMilliseconds(150)))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddExporter(MarkdownExporter.GitHub, JsonExporter.Brief)
            .AddColumn(StatisticColumn.Median)
            .WithOptions(ConfigOptions.JoinSummary);
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly)
            .Run(args.Contains("--filter", StringComparer.Ordinal) ? args : [.. args, "--filter", "*"], config)
            .ToList();
        foreach (var summary in summaries)
        {
            // Under a name that does not change.
            var table = Directory.GetFiles(summary.ResultsDirectoryPath, "*-report-github.md").MaxBy(File.GetLastWriteTimeUtc)!;
            File.Copy(table, Path.Combine(summary.ResultsDirectoryPath, "..", "results.md"), overwrite: true);
        }

        return summaries.Count > 0 && summaries.TrueForAll(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
    }
}
