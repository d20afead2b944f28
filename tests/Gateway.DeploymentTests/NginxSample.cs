using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>The project's own sample for nginx, only its addresses replaced.</summary>
internal static class NginxSample
{
    public static async Task<NginxProcess> StartAsync(IReadOnlyList<Uri> replicas)
    {
        var sample = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "deploy", "loadbalancer", "nginx.conf"));
        for (var replica = 0; replica < replicas.Count; replica++)
        {
            sample = Replace(sample, $"server gateway-{replica + 1}:8080 ", $"server {replicas[replica].Authority} ");
        }

        return await NginxProcess.StartAsync(port => Replace(sample, "listen 8080;", $"listen 127.0.0.1:{port};"));
    }

    private static string Replace(string text, string old, string other)
    {
        Assert.Contains(old, text, StringComparison.Ordinal);
        return text.Replace(old, other, StringComparison.Ordinal);
    }
}
