using System.Globalization;

namespace Gateway.FunctionalTests.Stack;

/// <summary>
/// A browser, the storefront on its own origin and a gateway that allows that origin: what the browser tests need. The same
/// page at <see cref="ForeignPage"/> is of another origin, which the gateway does not allow. One for all classes of browser tests.
/// </summary>
[CollectionDefinition(nameof(StorefrontStack))]
public sealed class StorefrontStack : IAsyncLifetime, ICollectionFixture<StorefrontStack>
{
    /// <summary>Why there is nothing to test with, if that is so.</summary>
    internal const string NeedsChromium = "Chromium is not installed: ./dev test does it where it may.";

    internal SimulatorProcess Simulator { get; private set; } = null!;

    internal GatewayProcess Gateway { get; private set; } = null!;

    internal Chromium Browser { get; private set; } = null!;

    /// <summary>The storefront at the allowed origin.</summary>
    internal Uri Page => Simulator.Control;

    internal Uri ForeignPage => new UriBuilder(Page) { Host = "localhost" }.Uri;

    public async ValueTask InitializeAsync()
    {
        if (!Chromium.IsInstalled)
        {
            return;
        }

        try
        {
            Browser = await Chromium.StartAsync();

            // The page is told where the gateway is before there is one.
            var gateway = FreeAddress();
            Simulator = await SimulatorProcess.StartAsync($"--Simulator:GatewayAddress={gateway}");
            Gateway = await StartGatewayAsync(gateway, Simulator);
        }
        catch
        {
            // xunit does not dispose of a fixture that could not be made.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The last first, and each also where one before it failed: nothing is to be left running.
        await using var simulator = Simulator;
        await using var gateway = Gateway;
        await using var browser = Browser;
    }

    /// <summary>As if nothing had been asked yet.</summary>
    public async Task ResetAsync()
    {
        Assert.SkipUnless(Chromium.IsInstalled, NeedsChromium);
        await Simulator.ResetAsync();
        await Gateway.PurgeAsync();
    }

    internal static string FreeAddress() => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{RedisServer.FreePort()}");

    /// <summary>As <c>./dev run</c> starts it, but for what is fresh: that does not last longer than a test can wait.</summary>
    internal static Task<GatewayProcess> StartGatewayAsync(string address, SimulatorProcess simulator) => GatewayProcess.StartAsync(
        simulator,
        ("ASPNETCORE_ENVIRONMENT", "Development"),
        ("ASPNETCORE_URLS", address),
        ("Catalog:FreshFor", "00:00:01"),
        ("Security:Cors:Origins:0", simulator.Control.GetLeftPart(UriPartial.Authority)));
}
