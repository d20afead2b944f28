using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>A real nginx of the machine's.</summary>
internal sealed class NginxProcess : IAsyncDisposable
{
    private const string Program = "/usr/sbin/nginx";

    private readonly ChildProcess _process;
    private readonly DirectoryInfo _folder;

    private NginxProcess(ChildProcess process, DirectoryInfo folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
    }

    public static bool IsInstalled { get; } = File.Exists(Program);

    public Uri Address { get; }

    /// <summary>Before an upstream.</summary>
    /// <param name="upstream">What it forwards to.</param>
    /// <param name="directives">Directives of the location.</param>
    public static Task<NginxProcess> StartAsync(Uri upstream, string directives) => StartAsync(port => $$"""
        server {
          listen 127.0.0.1:{{port}};
          location / {
            proxy_pass {{upstream.GetLeftPart(UriPartial.Authority)}};
            {{directives}}
          }
        }
        """);

    /// <param name="servers">What stands in its http block, given the port that it is to listen on.</param>
    public static async Task<NginxProcess> StartAsync(Func<string, string> servers)
    {
        var port = RedisServer.FreePort();
        var folder = Directory.CreateTempSubdirectory("gateway-nginx-");
        var configuration = Path.Combine(folder.FullName, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
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
              {{servers(port.ToString(CultureInfo.InvariantCulture))}}
            }
            """, TestContext.Current.CancellationToken);
        var nginx = new NginxProcess(ChildProcess.Start(Program, ["-c", configuration, "-p", folder.FullName], []), folder, port);
        await nginx._process.LineAsync(line => line.Contains("start worker", StringComparison.Ordinal) || line.Contains("using the", StringComparison.Ordinal));
        return nginx;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
