namespace Gateway.FunctionalTests.Stack;

/// <summary>One Redis, one simulator, one gateway: what most tests need, started once per test class.</summary>
public sealed class GatewayStack : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal SimulatorProcess Simulator { get; private set; } = null!;

    internal GatewayProcess Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        try
        {
            Redis = await RedisServer.StartAsync();
            Simulator = await SimulatorProcess.StartAsync();
            Gateway = await StartGatewayAsync();
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
        // The last first, and each also where one before it failed (a gateway's log that gives away a credential does): nothing is to
        // be left running.
        await using var redis = Redis;
        await using var simulator = Simulator;
        await using var gateway = Gateway;
    }

    /// <summary>As if nothing had been asked yet.</summary>
    public async Task ResetAsync()
    {
        await Simulator.ResetAsync();
        await Gateway.RedisIsUpAsync();
        await Gateway.PurgeAsync();
    }

    /// <summary>
    /// Another gateway beside the stack's own. If it uses the stack's Redis it is in use: what a gateway loads before it knows of the purges of
    /// former tests it loads once more.
    /// </summary>
    internal async Task<GatewayProcess> StartGatewayAsync(params (string Key, string Value)[] settings)
    {
        var gateway = await GatewayProcess.StartAsync(
            Simulator,
            [
                .. Redis.GatewaySettings,
                ("Catalog:MaxProducts", "50"),

                // Not what a busy machine is tested for; those who are have a Redis of their own.
                ("Redis:OperationTimeout", "00:00:01"),
                ("Catalog:SkuMap:builtfor_example-setup-EUR-once", string.Empty),
                .. settings,
            ]);
        if (!settings.Any(setting => setting.Key == "Redis:ConnectionString"))
        {
            await gateway.RedisIsUpAsync();
        }

        return gateway;
    }
}
