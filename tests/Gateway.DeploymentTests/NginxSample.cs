using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests;

/// <summary>An nginx of the machine's with the project's own sample, only its addresses replaced.</summary>
internal sealed class NginxSample : IAsyncDisposable
{
    private const string Program = "/usr/sbin/nginx";

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;

    private NginxSample(ChildProcess process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
    }

    public static bool IsInstalled { get; } = File.Exists(Program);

    public Uri Address { get; }

    public static async Task<NginxSample> StartAsync(IReadOnlyList<Uri> replicas)
    {
        var port = RedisServer.FreePort();
        var folder = Directory.CreateTempSubdirectory("gateway-nginx-");
        var sample = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "deploy", "loadbalancer", "nginx.conf"));
        for (var replica = 0; replica < replicas.Count; replica++)
        {
            sample = Replace(sample, $"server gateway-{replica + 1}:8080 ", $"server {replicas[replica].Authority} ");
        }

        sample = Replace(sample, "listen 8080;", string.Create(CultureInfo.InvariantCulture, $"listen 127.0.0.1:{port};"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "gateway.conf"), sample);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{folder.FullName}}/nginx.pid;
            error_log stderr notice;
            events { worker_connections 1024; }
            http {
              access_log off;
              client_body_temp_path {{folder.FullName}}/body;
              proxy_temp_path {{folder.FullName}}/proxy;
              fastcgi_temp_path {{folder.FullName}}/fastcgi;
              uwsgi_temp_path {{folder.FullName}}/uwsgi;
              scgi_temp_path {{folder.FullName}}/scgi;
              include {{folder.FullName}}/gateway.conf;
            }
            """);
        var nginx = new NginxSample(ChildProcess.Start(Program, ["-c", Path.Combine(folder.FullName, "nginx.conf"), "-p", folder.FullName], []), folder, port);
        await nginx._process.LineAsync(line => line.Contains("using the", StringComparison.Ordinal));
        return nginx;

        static string Replace(string text, string old, string other)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            return text.Replace(old, other, StringComparison.Ordinal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
