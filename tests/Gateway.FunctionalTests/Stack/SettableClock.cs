namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A wall clock that can be set while a process runs with it: Debian's <c>faketime</c>. The process's monotonic clock goes on as it is, as
/// the kernel's does when somebody sets the time.
/// </summary>
internal sealed class SettableClock : IDisposable
{
    private static readonly string? Library = Directory.Exists("/usr/lib")
        ? Directory.GetDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;

    private readonly string _offset = Path.Combine(Path.GetTempPath(), $"gateway-clock-{Guid.NewGuid():N}");

    public SettableClock() => Set(TimeSpan.Zero);

    public static bool IsInstalled => Library is not null;

    /// <summary>The environment of the process.</summary>
    public IEnumerable<(string Key, string Value)> Settings =>
    [
        ("LD_PRELOAD", Library!), ("FAKETIME_TIMESTAMP_FILE", _offset), ("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];

    /// <summary>From now on the process's wall clock is so far ahead of the real one, or behind it.</summary>
    public void Set(TimeSpan ahead)
    {
        // Moved into place, so that nobody reads half of it.
        var written = _offset + ".new";
        File.WriteAllText(written, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(long)ahead.TotalSeconds:+0;-0;+0}\n"));
        File.Move(written, _offset, overwrite: true);
    }

    public void Dispose() => File.Delete(_offset);
}
