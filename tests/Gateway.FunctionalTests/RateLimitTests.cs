using System.Net;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>How often one client may call, over all replicas.</summary>
public sealed class RateLimitTests
{
    private const string Catalog = "/catalog/builtfor_example?country=JP";

    private static readonly (string, string) Key = ("X-Api-Key", GatewayProcess.ProxyKey);

    [Fact]
    public async Task A_client_beyond_its_burst_gets_a_429_that_says_when_to_come_again()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, Limit("Catalog", 0.05, 3));

        var answers = new List<Answer>();
        for (var n = 0; n < 4; n++)
        {
            answers.Add(await gateway.GetAsync(Catalog));
        }

        Assert.All(answers[..3], answer =>
        {
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.DoesNotContain(answer.Headers.Keys, name => name.StartsWith("RateLimit-", StringComparison.OrdinalIgnoreCase));
        });
        var refused = answers[3];
        Assert.Equal((HttpStatusCode.TooManyRequests, "tooManyRequests"), (refused.Status, refused.Code));
        Assert.Equal("no-store", refused.Header("Cache-Control"));
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, Invariant), 1, 20);
        Assert.Equal(("3", "0", refused.Header("Retry-After")), (refused.Header("RateLimit-Limit"), refused.Header("RateLimit-Remaining"), refused.Header("RateLimit-Reset")));
    }

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
    public async Task A_key_and_an_address_are_clients_of_their_own()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, [("Security:KnownProxies", "127.0.0.0/8"), .. Limit("Catalog", 0.01, 1)]);

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.GetAsync(Catalog)));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.GetAsync(Catalog, Key)));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.TooManyRequests], await TwiceAsync(() => gateway.GetAsync(Catalog, ("X-Forwarded-For", "203.0.113.7"))));

        // What a client writes itself stands to the left of what the load balancer added.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "198.51.100.1, 203.0.113.7"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "2001:db8:1:2::1"))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "2001:db8:1:2::ffff"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "2001:db8:1:3::1"))).Status);
    }

    [Fact]
    public async Task Nobody_is_believed_whose_address_is_not_a_known_proxys()
    {
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(simulator, [("Security:KnownProxies", "10.0.0.0/8"), .. Limit("Catalog", 0.01, 1)]);

        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "203.0.113.7"))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await gateway.GetAsync(Catalog, ("X-Forwarded-For", "203.0.113.8"))).Status);
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
    public async Task A_client_in_Redis_is_a_hash()
    {
        await using var fleet = await Fleet.StartAsync(1, Limit("Catalog", 0.01, 5));
        await fleet.AskAllAsync(1, _ => Catalog);

        var keys = await fleet.Redis.AskAsync((_, server) => Task.FromResult(server.Keys().Select(key => key.ToString()).ToList()));

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
