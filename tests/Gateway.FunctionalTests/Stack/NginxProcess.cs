using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A real nginx before an upstream.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;

    private NginxProcess(ChildProcess process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
    }

    public static bool IsInstalled { get; } = File.Exists("/usr/sbin/nginx");

    public Uri Address { get; }

    /// <param name="upstream">What it forwards to.</param>
    /// <param name="directives">Directives of the location.</param>
    public static async Task<NginxProcess> StartAsync(Uri upstream, string directives)
    {
        var port = RedisServer.FreePort();
        var folder = Directory.CreateTempSubdirectory("gateway-nginx-");
        var configuration = Path.Combine(folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            daemon off;
            master_process off;
            pid {{folder.FullName}}/nginx.pid;
            error_log stderr notice;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{folder.FullName}}/body;
              proxy_temp_path {{folder.FullName}}/proxy;
              fastcgi_temp_path {{folder.FullName}}/fastcgi;
              uwsgi_temp_path {{folder.FullName}}/uwsgi;
              scgi_temp_path {{folder.FullName}}/scgi;
              server {
                listen 127.0.0.1:{{port.ToString(CultureInfo.InvariantCulture)}};
                location / {
                  proxy_pass {{upstream.GetLeftPart(UriPartial.Authority)}};
                  {{directives}}
                }
              }
            }
            """, TestContext.Current.CancellationToken);
        var nginx = new NginxProcess(ChildProcess.Start("/usr/sbin/nginx", ["-c", configuration, "-p", folder.FullName], []), folder, port);
        await nginx._process.LineAsync(line => line.Contains("start worker", StringComparison.Ordinal) || line.Contains("using the", StringComparison.Ordinal));
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
