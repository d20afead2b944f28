using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>YAML read by a YAML reader of the machine's (Python's), as JSON.</summary>
internal static class Yaml
{
    private const string Read = "import json, sys, yaml; json.dump([d for d in yaml.safe_load_all(open(sys.argv[1])) if d is not None], sys.stdout, default=str)";

    /// <summary>The documents of a file of the repository.</summary>
    public static async Task<JsonNode[]> ReadAsync(string path)
    {
        using var python = Process.Start(new ProcessStartInfo("python3", ["-c", Read, Path.Combine(Programs.Root, path)])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(python.ExitCode == 0, $"{path}: {error}");
        return [.. JsonNode.Parse(await output)!.AsArray().Select(document => document!)];
    }

    /// <summary>A file of one document.</summary>
    public static async Task<JsonNode> ReadOneAsync(string path) => Assert.Single(await ReadAsync(path));
}
