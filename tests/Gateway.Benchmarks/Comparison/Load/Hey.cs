using System.Globalization;

namespace Gateway.Benchmarks.Comparison.Load;

/// <summary>A burst by hey: so many connections, each with one request, all at once.</summary>
internal static class Hey
{
    /// <returns>What each took, in milliseconds, and how many were no 200.</returns>
    public static async Task<(IReadOnlyList<double> Milliseconds, int Errors)> BurstAsync(IReadOnlyList<Uri> addresses, int requests)
    {
        var bursts = addresses.Select((address, index) =>
        {
            var share = Invariant($"{(requests / addresses.Count) + (index < requests % addresses.Count ? 1 : 0)}");
            return Tool.RunAsync("hey", ["-n", share, "-c", share, "-t", "60", "-o", "csv", address.AbsoluteUri]);
        });
        var lines = (await Task.WhenAll(bursts)).SelectMany(output => output.Split('\n').Skip(1).Where(line => line.Length > 0)).ToList();
        string[][] answers = [.. lines.Select(line => line.Split(','))];
        var sound = answers.Where(columns => columns[6] == "200").Select(columns => double.Parse(columns[0], CultureInfo.InvariantCulture) * 1e3).ToList();
        return (sound, requests - sound.Count);
    }

    /// <summary>So many requests over ten connections.</summary>
    public static Task RepeatAsync(Uri address, int requests) => Tool.RunAsync("hey", ["-n", Invariant($"{requests}"), "-c", "10", "-o", "csv", address.AbsoluteUri]);
}
