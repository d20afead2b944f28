using System.Globalization;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The wall clock of a running gateway is set; the simulator's and Redis's go on as they are.</summary>
public sealed class ClockTests
{
    private const string Sku = "builtfor_example-pro-EUR-monthly";
    private const string Question = "/catalog/builtfor_example?type=plan&period=month&country=US";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>Was: set back, what was in memory stayed fresh, and unlabelled, until the clock had caught up; set forward, all of it was gone.</summary>
    [Fact]
    public async Task Whatever_the_wall_clock_is_set_to_prices_follow_are_labelled_and_outlive_an_outage()
    {
        Assert.SkipUnless(SettableClock.IsInstalled, "There is no libfaketime on this machine: install the package faketime.");
        using var clock = new SettableClock();
        await using var redis = await RedisServer.StartAsync();
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, [.. redis.GatewaySettings, ("Catalog:FreshFor", "00:00:02"), .. clock.Settings]);
        await gateway.RedisIsUpAsync();
        await gateway.CompleteAsync(Question);
        var amount = 100;
        foreach (var ahead in new[] { TimeSpan.FromMinutes(-10), TimeSpan.FromDays(-2), TimeSpan.FromMinutes(10), TimeSpan.FromDays(2), TimeSpan.FromSeconds(-3), TimeSpan.Zero })
        {
            clock.Set(ahead);
            await GatewayProcess.EventuallyAsync(async () => Math.Abs((Shown(await gateway.GetAsync(Question)) - TimeProvider.System.GetUtcNow() - ahead).TotalSeconds) < 2.5, Patience);

            var price = (++amount).ToString(CultureInfo.InvariantCulture) + ".00";
            await simulator.PriceAsync(Sku, $$"""{"amount":"{{price}}","currency":"USD"}""");
            await GatewayProcess.EventuallyAsync(async () => await PriceAsync() == (price, "live"), Patience);

            await simulator.FaultAsync("paymentwall", new { status = 500 });
            await GatewayProcess.EventuallyAsync(
                async () =>
                {
                    var (kept, status) = await PriceAsync();
                    Assert.Equal(price, kept);
                    return status == "stale";
                },
                Patience);
            await simulator.ClearFaultsAsync();
            await GatewayProcess.EventuallyAsync(async () => await PriceAsync() == (price, "live"), Patience);
        }

        // Its token was of the age that it was all the time.
        Assert.Equal(1, await simulator.TokenRequestsAsync());

        async Task<(string? Amount, string? Status)> PriceAsync()
        {
            var price = (await gateway.GetAsync(Question)).Component(Sku)["price"]!;
            return ((string?)price["amount"], (string?)price["status"]);
        }
    }

    private static DateTimeOffset Shown(Answer answer) => DateTimeOffset.Parse(answer.Header("Date")!, CultureInfo.InvariantCulture);
}
