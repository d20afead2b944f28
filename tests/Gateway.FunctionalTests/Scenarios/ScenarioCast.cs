using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>The gateways of a scenario, or of several that need the same, and the Redis between them.</summary>
internal sealed class ScenarioCast : IAsyncDisposable
{
    private readonly SimulatorProcess _simulator;
    private readonly bool _ownsRedis;
    private readonly (string Key, string Value)[] _settings;
    private readonly List<GatewayProcess> _gateways = [];
    private readonly List<GatewayProcess> _former = [];

    private ScenarioCast(SimulatorProcess simulator, RedisServer? redis, bool ownsRedis, (string Key, string Value)[] settings)
    {
        _simulator = simulator;
        _ownsRedis = ownsRedis;
        _settings = settings;
        Redis = redis;
    }

    public RedisServer? Redis { get; }

    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    /// <param name="scenario">What is needed.</param>
    /// <param name="simulator">Shared.</param>
    /// <param name="shared">The Redis of those who do not break theirs.</param>
    /// <param name="prefix">Of the keys in it: nobody else's.</param>
    public static async Task<ScenarioCast> StartAsync(Scenario scenario, SimulatorProcess simulator, RedisServer shared, string prefix)
    {
        Assert.SkipWhen(scenario.OwnsRedis && !RedisServerProcess.IsInstalled, "There is no redis-server on this machine to be broken.");
        var redis = scenario.Redis != "on" ? null : scenario.OwnsRedis ? await RedisServer.StartAsync() : shared;
        (string, string)[] where = scenario.Redis switch
        {
            "off" => [],
            "down" => [("Redis:ConnectionString", RedisServer.RefusingAddress)],
            _ => [.. redis!.GatewaySettings, ("Redis:KeyPrefix", prefix)],
        };

        // A busy machine is not what is tested. Only a deadline of the scenario's own would contradict these.
        (string, string)[] patience = scenario.Settings.Any(setting => setting.Key == "Catalog:Deadline")
            ? []
            :
            [
                ("Catalog:Deadline", "00:00:20"),
                ("Billing:Timeout", "00:00:15"), ("Billing:AttemptTimeout", "00:00:15"),
                ("Paymentwall:Timeout", "00:00:15"), ("Paymentwall:AttemptTimeout", "00:00:15"),
            ];
        var cast = new ScenarioCast(
            simulator,
            redis,
            scenario.OwnsRedis,
            [
                .. where,
                .. patience,
                ("Redis:OperationTimeout", "00:00:01"),
                ("Catalog:SkuMap:builtfor_example-setup-EUR-once", string.Empty),
                .. scenario.Settings,
            ]);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, scenario.Gateways).Select(_ => cast.AddAsync()));
        }
        catch
        {
            await cast.DisposeAsync();
            throw;
        }

        return cast;
    }

    /// <summary>Waits until the Redis is in use, so that what was in it before is seen.</summary>
    public Task ReadyAsync() => Redis is null ? Task.CompletedTask : Task.WhenAll(_gateways.Select(gateway => gateway.RedisIsUpAsync()));

    public async Task RestartAsync(int number)
    {
        _former.Add(_gateways[number - 1]);
        _gateways[number - 1] = await StartOneAsync();
        await ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Task.WhenAll(_gateways.Concat(_former).Select(gateway => gateway.DisposeAsync().AsTask()));
        }
        finally
        {
            if (_ownsRedis)
            {
                await Redis!.DisposeAsync();
            }
        }
    }

    /// <summary>Each is known as soon as it is there: where another cannot start, it is stopped all the same.</summary>
    private async Task AddAsync()
    {
        var gateway = await StartOneAsync();
        lock (_gateways)
        {
            _gateways.Add(gateway);
        }
    }

    private Task<GatewayProcess> StartOneAsync() => GatewayProcess.StartAsync(_simulator, _settings);
}
