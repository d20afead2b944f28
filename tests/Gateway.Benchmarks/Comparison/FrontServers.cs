namespace Gateway.Benchmarks.Comparison;

/// <summary>nginx and haproxy as others would put them there, where they are installed.</summary>
internal static class FrontServers
{
    private const string Nginx = "/usr/sbin/nginx";
    private const string Haproxy = "/usr/sbin/haproxy";
    private const string Modules = "/usr/lib/nginx/modules/";

    /// <summary>Answers <c>/static</c> with a file.</summary>
    public static Task<Subject?> StaticNginxAsync(Rig rig, string body) => NginxAsync(rig, string.Empty, $$"""
        location = /static {
          alias {{body}};
          default_type application/json;
          add_header Cache-Control "public, max-age=60";
        }
        """, "static");

    /// <summary>Answers <c>/catalog</c> from a table in memory that is looked up by product and country, as a gateway written in Lua does.</summary>
    public static Task<Subject?> LuaNginxAsync(Rig rig, string body, string product, string country) => NginxAsync(rig, $$"""
        load_module {{Modules}}ndk_http_module.so;
        load_module {{Modules}}ngx_http_lua_module.so;
        """, """
        location = /catalog {
          content_by_lua_block {
            local args = ngx.req.get_uri_args(8)
            local body = ngx.shared.answers:get(args.product .. "|" .. args.country)
            if not body then return ngx.exit(404) end
            local headers = ngx.header
            headers["Content-Type"] = "application/json; charset=utf-8"
            headers["Content-Length"] = #body
            headers["ETag"] = '"0123456789abcdef0123456789abcdef"'
            headers["Cache-Control"] = "public, max-age=60"
            ngx.print(body)
          }
        }
        """, $"catalog?product={product}&country={country}", $$"""
        lua_shared_dict answers 16m;
        init_by_lua_block {
          local file = io.open("{{body}}", "rb")
          ngx.shared.answers:set("{{product}}|{{country}}", file:read("*a"))
          file:close()
        }
        """);

    /// <summary>Forwards everything.</summary>
    public static Task<Subject?> ForwardingNginxAsync(Rig rig) => NginxAsync(rig, string.Empty, $$"""
        location / {
          proxy_pass http://upstream;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Authorization "Bearer {{Subjects.FloorSubject.Token}}";
        }
        """, "none", $$"""
        upstream upstream { server {{rig.Upstream.Address.Authority}}; keepalive 128; }
        """);

    /// <summary>Answers <c>/static</c> with a file.</summary>
    public static Task<Subject?> StaticHaproxyAsync(Rig rig, string body) => HaproxyAsync(rig, $$"""
          http-request return status 200 content-type "application/json" file {{body}} hdr Cache-Control "public, max-age=60" if { path /static }
        """, "static");

    /// <summary>Forwards everything.</summary>
    public static Task<Subject?> ForwardingHaproxyAsync(Rig rig) => HaproxyAsync(rig, $$"""
          http-request set-header Authorization "Bearer {{Subjects.FloorSubject.Token}}"
          http-reuse always
          server upstream {{rig.Upstream.Address.Authority}}
        """, "none");

    private static async Task<Subject?> NginxAsync(Rig rig, string main, string location, string probe, string http = "")
    {
        if (!File.Exists(Nginx) || (main.Length > 0 && !File.Exists(Modules + "ngx_http_lua_module.so")))
        {
            return null;
        }

        var (port, folder) = (Rig.FreePort(), Directory.CreateDirectory(rig.PathOf(Invariant($"nginx-{Guid.NewGuid():N}"))).FullName);
        var configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            {{main}}
            daemon off;
            worker_processes auto;
            pid {{folder}}/nginx.pid;
            error_log {{folder}}/error.log;
            events { worker_connections 2048; }
            http {
              access_log off;
              keepalive_requests 1000000000;
              open_file_cache max=16;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
              {{http}}
              server {
                listen 127.0.0.1:{{Invariant($"{port}")}};
                {{location}}
              }
            }
            """);
        return await ReadyAsync(rig.Launch(port, Nginx, ["-c", configuration, "-p", folder]), probe);
    }

    private static async Task<Subject?> HaproxyAsync(Rig rig, string rules, string probe)
    {
        if (!File.Exists(Haproxy))
        {
            return null;
        }

        var (port, configuration) = (Rig.FreePort(), rig.PathOf(Invariant($"haproxy-{Guid.NewGuid():N}.cfg")));
        await File.WriteAllTextAsync(configuration, $$"""
            global
              maxconn 4000
            defaults
              mode http
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            listen all
              bind 127.0.0.1:{{Invariant($"{port}")}}
            {{rules}}

            """);
        return await ReadyAsync(rig.Launch(port, Haproxy, ["-db", "-f", configuration]), probe);
    }

    private static async Task<Subject?> ReadyAsync(Subject subject, string probe)
    {
        try
        {
            await subject.AnsweredAsync(probe);
            return subject;
        }
        catch
        {
            await subject.DisposeAsync();
            throw;
        }
    }
}
