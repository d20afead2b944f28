using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Routes change while the gateway runs; a bad change is refused and the last good one goes on.</summary>
public sealed class ProxyReloadTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-reload-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_good_reload_is_used_and_a_bad_one_is_refused_and_says_why()
    {
        // A copy of the program, whose settings file is the test's own.
        foreach (var file in new DirectoryInfo(Path.GetDirectoryName(Programs.Gateway)!).GetFiles())
        {
            file.CopyTo(Path.Combine(_folder.FullName, file.Name));
        }

        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartFromAsync(Path.Combine(_folder.FullName, "Gateway.dll"), simulator);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.GetAsync("/more/v1/products/builtfor_example/components")).Status);

        await ChangeAsync(routes => routes["more"] = Route("proxy"));
        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/more/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey))).Status == HttpStatusCode.OK,
            TimeSpan.FromSeconds(10));

        await ChangeAsync(routes =>
        {
            routes["less"] = Route("proxy", "/less");
            routes.Root["ReverseProxy"]!["Clusters"]!["billing"]!["HttpClient"] = new JsonObject { ["DangerousAcceptAnyServerCertificate"] = true };
        });

        Assert.Contains("DangerousAcceptAnyServerCertificate: certificates are always validated", await gateway.LogLineAsync("certificates are always validated"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/more/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.GetAsync("/less/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey))).Status);

        await ChangeAsync(routes =>
        {
            routes.Root["ReverseProxy"]!["Clusters"]!["billing"]!.AsObject().Remove("HttpClient");
            routes.Remove("less");
            routes["hole"] = Route("anonymous");
        });

        Assert.Contains("limited to GET and HEAD", await gateway.LogLineAsync("limited to GET and HEAD"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/more/v1/products/builtfor_example/components", ("X-Api-Key", GatewayProcess.ProxyKey))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await gateway.GetAsync("/more/v1/products/builtfor_example/components")).Status);
    }

    private static JsonObject Route(string policy, string prefix = "/more") => new()
    {
        ["ClusterId"] = "billing",
        ["AuthorizationPolicy"] = policy,
        ["Match"] = new JsonObject { ["Path"] = prefix + "/{**rest}" },
        ["Transforms"] = new JsonArray(new JsonObject { ["PathRemovePrefix"] = prefix }, new JsonObject { ["AccessToken"] = "true" }),
    };

    private async Task ChangeAsync(Action<JsonObject> change)
    {
        var file = Path.Combine(_folder.FullName, "appsettings.json");
        var settings = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
        change(settings["ReverseProxy"]!["Routes"]!.AsObject());
        await File.WriteAllTextAsync(file, settings.ToJsonString(), TestContext.Current.CancellationToken);
    }
}
