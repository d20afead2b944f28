using System.Globalization;
using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>
/// Where scenarios are played, one after the other: one simulator, one Redis, and the gateways that are needed now. Those of the next
/// scenario start while this one is played: half of the time would be waiting for that. Those of the last one have ended before this
/// one begins: a call that one of them tries again would count as this one's.
/// </summary>
public sealed class ScenarioStage : IAsyncLifetime
{
    private readonly List<Task> _left = [];
    private SimulatorProcess _simulator = null!;
    private RedisServer _redis = null!;
    private (string Name, Task<ScenarioCast> Cast)? _now;
    private (string Name, Task<ScenarioCast> Cast)? _next;
    private GatewayProcess? _rehearsed;
    private int _started;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _simulator = await SimulatorProcess.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        // The last first, and each also where one before it failed.
        await using var redis = _redis;
        await using var simulator = _simulator;
        _left.AddRange(new[] { _now, _next }.OfType<(string Name, Task<ScenarioCast> Cast)>().Select(cast => LeaveAsync(cast.Cast)));
        await Task.WhenAll(_left);
    }

    internal async Task PlayAsync(Scenario scenario, Scenario? next)
    {
        if (_now?.Name != scenario.Cast)
        {
            var last = _now;
            _now = _next?.Name == scenario.Cast ? _next : (scenario.Cast, StartAsync(scenario));
            _next = null;
            if (last is { } ended)
            {
                // What goes wrong there is not this scenario's: it shows at the end.
                var leaving = LeaveAsync(ended.Cast);
                _left.Add(leaving);
                await Task.WhenAny(leaving);
            }
        }

        var cast = await _now!.Value.Cast;
        await _simulator.ResetAsync();
        await cast.ReadyAsync();
        if (!scenario.IsFresh)
        {
            await RehearseAsync(cast.Gateways[0]);
            await _simulator.ResetAsync();
        }

        if (next is not null && next.Cast != scenario.Cast && _next is null)
        {
            _next = (next.Cast, StartAsync(next));
        }

        using var run = new ScenarioRun(scenario, cast, _simulator);
        await run.PlayAsync();
    }

    /// <summary>The token is there and the code has run once, so that no scenario depends on who came first; then everything is purged.</summary>
    private async Task RehearseAsync(GatewayProcess gateway)
    {
        if (_rehearsed != gateway)
        {
            await GatewayProcess.EventuallyAsync(
                async () => (await gateway.GetAsync("/catalog/builtfor_example", ("X-Api-Key", GatewayProcess.ProxyKey))).Status == HttpStatusCode.OK, TimeSpan.FromMinutes(1));
            _rehearsed = gateway;
        }

        await gateway.PurgeAsync();
    }

    private static async Task LeaveAsync(Task<ScenarioCast> cast) => await (await cast).DisposeAsync();

    /// <summary>Not in the context of the test that begins it, which may be over before this is.</summary>
    private Task<ScenarioCast> StartAsync(Scenario scenario)
    {
        var prefix = "s" + (++_started).ToString(CultureInfo.InvariantCulture);
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(() => ScenarioCast.StartAsync(scenario, _simulator, _redis, prefix));
        }
    }
}
