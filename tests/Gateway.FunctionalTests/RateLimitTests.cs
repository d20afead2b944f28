using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>How often one client may call, over all replicas.</summary>
[Trait("Redis", "any form, in short")]
public sealed class RateLimitTests
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    [Fact]
    public async Task Catalog_proxy_and_administration_are_limited_apart_and_health_never()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, [.. Limit("Catalog", 0.01, 1), .. Limit("Proxy", 0.01, 1), .. Limit("Admin", 0.01, 1)]);

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.GetAsync(Catalog)));
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.GetAsync("/billing/v1/products/builtfor_example/components")));
        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.SendAsync(HttpMethod.Post, "/admin/cache/purge", ("X-Api-Key", "guess"))));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], await TwiceAsync(() => gateway.GetAsync("/health/ready")));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], await TwiceAsync(() => gateway.GetAsync("/swagger/v1/swagger.json")));
    }

    [Fact]
    public async Task A_route_without_a_limit_costs_its_callers_nothing_elsewhere()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, [.. Limit("Proxy", 0.01, 1), ("ReverseProxy:Routes:billing-components:RateLimiterPolicy", "Disable")]);

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], await TwiceAsync(() => gateway.GetAsync("/billing/v1/products/builtfor_example/components")));
        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.TooManyRequests],
            await TwiceAsync(() => gateway.GetAsync("/paymentwall/api/rest/product?ag_external_id=builtfor_example-pro-EUR-monthly")));
    }

    [Fact]
    public async Task A_limit_holds_over_three_replicas()
    {
        const double rate = 40;
        const int burst = 60;
        await using var fleet = await Fleet.StartAsync(3, Limit("Catalog", rate, burst));
        await fleet.AskAllAsync(1, _ => Catalog);
        await Task.Delay(TimeSpan.FromSeconds(burst / rate), TimeProvider.System, TestContext.Current.CancellationToken);

        // A flood of one client for a while, then the count.
        var started = TimeProvider.System.GetTimestamp();
        var granted = 0;
        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async worker =>
        {
            while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5))
            {
                var status = (await fleet.Replicas[worker % 3].GetAsync(Catalog)).Status;
                _ = status == HttpStatusCode.OK ? Interlocked.Increment(ref granted) : Interlocked.Increment(ref refused);
            }
        }));
        var most = burst + (rate * TimeProvider.System.GetElapsedTime(started).TotalSeconds);

        Assert.True(refused > granted, $"{granted} granted, {refused} refused: that was no flood.");
        Assert.InRange(granted, most * 0.9, most * 1.1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{granted} granted of {most:0} permitted, {refused} refused");
    }

    [Fact]
    public async Task Without_Redis_each_replica_keeps_the_limit_by_itself()
    {
        await using var fleet = await Fleet.StartAsync(2, Limit("Catalog", 0.01, 5));
        await fleet.Redis.KillAsync();
        await Task.WhenAll(fleet.Replicas.Select(replica => GatewayProcess.EventuallyAsync(
            async () => (string?)(await replica.GetAsync("/health/ready")).Json["redis"] == "down", TimeSpan.FromSeconds(15))));

        var answers = await fleet.AskAllAsync(8, _ => Catalog);

        Assert.Equal(10, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.Equal(6, answers.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A_Redis_that_hangs_costs_one_short_wait_and_then_the_replica_limits_by_itself()
    {
        await using var fleet = await Fleet.StartAsync(1, Limit("Catalog", 0.01, 20));
        await fleet.AskAllAsync(5, _ => Catalog);
        fleet.Redis.Signal(19);
        var waits = new List<TimeSpan>();
        var statuses = new List<HttpStatusCode>();
        for (var call = 0; call < 25; call++)
        {
            var started = TimeProvider.System.GetTimestamp();
            statuses.Add((await fleet.Replicas[0].GetAsync(Catalog)).Status);
            waits.Add(TimeProvider.System.GetElapsedTime(started));
        }

        fleet.Redis.Signal(18);
        TestContext.Current.TestOutputHelper?.WriteLine($"slowest {waits.Max().TotalMilliseconds:0} ms, all {waits.Sum(wait => wait.TotalMilliseconds):0} ms");

        // Its own bucket was full: what Redis had permitted before does not count in it.
        Assert.Equal(20, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(5, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.InRange(waits.Sum(wait => wait.TotalSeconds), 0, 3);
    }

    [Fact]
    public async Task A_client_in_Redis_is_a_hash()
    {
        await using var fleet = await Fleet.StartAsync(1, Limit("Catalog", 0.01, 5));
        await fleet.AskAllAsync(1, _ => Catalog);

        var keys = await fleet.Redis.KeysAsync();

        Assert.Matches("^gateway:limit:catalog:[0-9a-f]{32}$", Assert.Single(keys, key => key.Contains(":limit:", StringComparison.Ordinal)));
    }

    private static readonly IFormatProvider Invariant = System.Globalization.CultureInfo.InvariantCulture;

    private static (string, string)[] Limit(string kind, double rate, int burst) =>
    [
        ($"Security:RateLimits:{kind}:PermitsPerSecond", rate.ToString(Invariant)),
        ($"Security:RateLimits:{kind}:Burst", burst.ToString(Invariant)),
    ];

    private static async Task<HttpStatusCode[]> TwiceAsync(Func<Task<Answer>> ask) => [(await ask()).Status, (await ask()).Status];
}
