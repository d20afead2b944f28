using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Benchmarks.Comparison;

/// <summary>A program that was started, its output in a file, and what the kernel says of it.</summary>
internal sealed partial class Child : IAsyncDisposable
{
    private const int SigTerm = 15;

    /// <summary>What runs now.</summary>
    private static readonly ConcurrentDictionary<int, Child> Running = new();

    private readonly Process _process;
    private readonly string _log;

    private Child(Process process, string log)
    {
        _process = process;
        _log = log;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => File.Exists(_log) ? File.ReadAllText(_log) : string.Empty;

    /// <summary>Its output goes to a file without passing through here, so that what it prints costs nobody else anything.</summary>
    public static Child Start(string log, string program, IEnumerable<string> arguments, params IEnumerable<(string Key, string Value)> environment)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1", "sh", log, program, .. arguments])
        {
            UseShellExecute = false,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var child = new Child(Process.Start(start)!, log);
        Running[child.Id] = child;
        return child;
    }

    /// <summary>Nothing that was started is to outlive this process.</summary>
    public static void EndAll()
    {
        foreach (var id in Running.Keys)
        {
            _ = Kill(id, SigTerm);
        }
    }

    /// <summary>Time on the processors so far, with that of its children: not in ticks, but as the scheduler counts it.</summary>
    public TimeSpan ProcessorTime() => Family().Select(Clock).Aggregate(TimeSpan.Zero, (sum, one) => sum + one);

    /// <summary>Memory that it has now, in MiB.</summary>
    public double ResidentMebibytes() => Family().Sum(id =>
    {
        var line = File.ReadLines(Invariant($"/proc/{id}/status")).First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    });

    public async ValueTask DisposeAsync()
    {
        Running.TryRemove(Id, out _);
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, SigTerm);
            try
            {
                await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process.Dispose();
        File.Delete(_log);
    }

    private IEnumerable<int> Family() => File.ReadAllText(Invariant($"/proc/{Id}/task/{Id}/children"))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(id => int.Parse(id, CultureInfo.InvariantCulture))
        .Prepend(Id);

    /// <summary>The processor clock of a process: see clock_getcpuclockid(3).</summary>
    private static TimeSpan Clock(int process) => ClockGetTime((~process << 3) | 2, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1e3)
        : throw new InvalidOperationException(Invariant($"Process {process} has ended."));

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
