using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Benchmarks.Subjects;

/// <summary>YARP and nothing else: one route, one destination, one transform that attaches a token.</summary>
internal static class YarpSubject
{
    /// <summary><c>--port N --upstream ADDRESS</c>.</summary>
    public static Task RunAsync(Arguments arguments)
    {
        var builder = BareHost.CreateBuilder(arguments.Number("port"));
        builder.Services.AddRouting();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [
                new RouteConfig
                {
                    RouteId = "all",
                    ClusterId = "upstream",
                    Match = new RouteMatch { Path = "/{**path}" },
                    Transforms =
                    [
                        new Dictionary<string, string>(StringComparer.Ordinal) { ["RequestHeader"] = "Authorization", ["Set"] = "Bearer " + FloorSubject.Token },
                    ],
                },
            ],
            [
                new ClusterConfig
                {
                    ClusterId = "upstream",
                    Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal) { ["only"] = new() { Address = arguments.Text("upstream") } },
                },
            ]);
        var app = builder.Build();
        app.MapReverseProxy();
        return BareHost.RunAsync(app);
    }
}
