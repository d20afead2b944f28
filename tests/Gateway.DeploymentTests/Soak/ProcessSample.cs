namespace Gateway.DeploymentTests.Soak;

/// <param name="Replica">0 to 2.</param>
/// <param name="Instance">The process; a restart begins another.</param>
/// <param name="At">When.</param>
/// <param name="ResidentMiB"><c>VmRSS</c>.</param>
/// <param name="Handles">Entries of <c>/proc/PID/fd</c>.</param>
/// <param name="Threads">Of the process.</param>
internal sealed record ProcessSample(int Replica, string Instance, DateTimeOffset At, double ResidentMiB, int Handles, int Threads)
{
    /// <summary>Null: the process is gone.</summary>
    public static ProcessSample? Take(int replica, string instance, int processId, DateTimeOffset now)
    {
        try
        {
            var status = File.ReadLines(FormattableString.Invariant($"/proc/{processId}/status"))
                .Select(line => line.Split(':', 2))
                .Where(pair => pair is ["VmRSS" or "Threads", _])
                .ToDictionary(pair => pair[0], pair => long.Parse(pair[1].Replace("kB", "", StringComparison.Ordinal), System.Globalization.CultureInfo.InvariantCulture), StringComparer.Ordinal);
            return status.TryGetValue("VmRSS", out var resident)
                ? new ProcessSample(
                    replica, instance, now, resident / 1024.0,
                    Directory.EnumerateFileSystemEntries(FormattableString.Invariant($"/proc/{processId}/fd")).Count(), (int)status["Threads"])
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
