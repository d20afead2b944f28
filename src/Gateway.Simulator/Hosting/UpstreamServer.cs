using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Simulator.Hosting;

/// <summary>A bare application with one listener, which ASPNETCORE_URLS and its like do not reach.</summary>
internal static class UpstreamServer
{
    public static WebApplication Create(IPAddress address, int port, ILoggerFactory loggerFactory, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(address, port, listener =>
        {
            // With HTTP/2 a dropped or truncated answer would reset a stream; these faults are about connections.
            listener.Protocols = HttpProtocols.Http1;
            if (certificate is not null)
            {
                listener.UseHttps(certificate);
            }
        }));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggerFactory);
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, NoSignals>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(3));
        return builder.Build();
    }

    /// <summary>The port that a started application listens on.</summary>
    public static int Port(WebApplication started) => new Uri(started.Urls.Single()).Port;

    /// <summary>Four hosts in one process: the program alone listens to signals, else each host would stop by itself.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
