using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A program started for a test, with everything it printed.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    public const int SigTerm = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly StringBuilder _output = new();
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Found)> _waiters = [];

    private ChildProcess(Process process) => _process = process;

    public string Output
    {
        get
        {
            lock (_gate)
            {
                return _output.ToString();
            }
        }
    }

    public int Id => _process.Id;

    /// <summary>Starts a program; what it inherits of the environment is overlaid by <paramref name="environment"/>.</summary>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment, string? folder = null)
    {
        // What ignores Ctrl-C is started by what ignores it, such as a script's `command &`; what is started here is not to.
        var start = IsInterruptIgnored()
            ? new ProcessStartInfo("env", ["--default-signal=INT", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        start.WorkingDirectory = folder ?? Path.GetTempPath();
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var child = new ChildProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += (_, line) => child.Take(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.Take(line.Data);
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>This process ignores SIGINT (bit 1), and so would its children.</summary>
    private static bool IsInterruptIgnored() =>
        File.Exists("/proc/self/status")
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } ignored
        && (Convert.ToUInt64(ignored[7..].Trim(), 16) & 0b10) != 0;

    /// <summary>The first line, already printed or still to come, that is wanted. Fails if the program ends or takes too long.</summary>
    public async Task<string> LineAsync(Func<string, bool> wanted)
    {
        var found = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (Array.Find(_output.ToString().Split('\n'), line => wanted(line)) is { } line)
            {
                return line;
            }

            _waiters.Add((wanted, found));
        }

        var exit = _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var first = await Task.WhenAny(found.Task, exit, Task.Delay(Patience, TimeProvider.System));
        if (first != found.Task && !found.Task.IsCompleted)
        {
            await StopAsync();
            throw new InvalidOperationException($"The line did not come ({(first == exit ? "the program ended" : "time-out")}). Output:\n{Output}");
        }

        return await found.Task;
    }

    /// <summary>The exit code, once the program has ended by itself.</summary>
    public async Task<int> ExitCodeAsync(TimeSpan? patience = null)
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(patience ?? Patience, TimeProvider.System);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM, then patience, then the end.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, SigTerm);
            try
            {
                await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15), TimeProvider.System);
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public void Signal(int signal)
    {
        if (!_process.HasExited)
        {
            Signal(_process.Id, signal);
        }
    }

    public static void Signal(int processId, int signal) => _ = Kill(processId, signal);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            _output.Append(line).Append('\n');
            foreach (var (_, found) in _waiters.Where(waiter => waiter.Wanted(line)))
            {
                found.TrySetResult(line);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
