using System.Net;
using System.Net.Sockets;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>Many replicas make the least number of upstream calls there can be, with a Redis and with none.</summary>
[Trait("Redis", "any form, in short")]
public sealed class FleetTests
{
    private const string Question = "/catalog?product=builtfor_example&country=FR";

    [Fact]
    public async Task Three_replicas_with_three_hundred_requests_each_for_one_cold_question_make_one_call_of_each_kind()
    {
        await using var fleet = await Fleet.StartAsync(3);
        foreach (var upstream in new[] { "authorization", "billing", "paymentwall" })
        {
            await fleet.Simulator.FaultAsync(upstream, new { latencyMs = 100 });
        }

        var answers = await fleet.AskAllAsync(300, _ => Question);

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal((1, 1, 1), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));
    }

    [Fact]
    public async Task Token_that_expires_under_load_is_renewed_once_for_the_fleet_and_nobody_notices()
    {
        await using var fleet = await Fleet.StartAsync(3);
        await fleet.Simulator.TokenSettingsAsync(new { lifetimeSeconds = 4 });
        await fleet.AskAllAsync(1, _ => "/catalog?product=reviews_example&prices=skip");
        Assert.Equal(1, await fleet.Simulator.TokenRequestsAsync());
        await fleet.Simulator.TokenSettingsAsync(new { lifetimeSeconds = 600 });

        // Questions that nobody has asked before, until the first token has long expired.
        var started = TimeProvider.System.GetTimestamp();
        var languages = new Queue<string>(["en", "fr", "de", "es", "it", "pt", "nl", "pl", "sv", "fi", "da", "cs", "el", "hu", "ro", "bg", "ja", "ko", "zh", "ar", "tr", "uk", "he", "vi", "th", "hi", "fa", "ur", "bn", "ta"]);
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5))
        {
            var language = languages.Dequeue();
            var answers = await fleet.AskAllAsync(20, n => $"/catalog?product=bulk_{n:000}&lang={language}&prices=skip");
            Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
            await Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.Equal(2, await fleet.Simulator.TokenRequestsAsync());
        Assert.DoesNotContain(await fleet.Simulator.ReceivedAsync("billing"), request => request.Header("Authorization") is null);
    }

    [Fact]
    public async Task With_redis_killed_each_replica_makes_one_call_of_each_kind_at_most()
    {
        await using var fleet = await Fleet.StartAsync(3);
        await fleet.Redis.KillAsync();
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.LogLineAsync("Redis is not in use")));
        await fleet.Simulator.FaultAsync("paymentwall", new { latencyMs = 100 });

        var answers = await fleet.AskAllAsync(100, _ => Question);

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal((3, 3, 3), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));
    }

    [Fact]
    public async Task When_the_holder_of_a_lease_dies_in_mid_load_the_others_go_on_within_its_bound()
    {
        await using var fleet = await Fleet.StartAsync(2, ("Billing:Timeout", "00:00:01"), ("Catalog:Deadline", "00:00:10"));
        await fleet.AskAllAsync(1, _ => "/catalog?product=reviews_example&prices=skip");
        await fleet.Simulator.FaultAsync("billing", new { match = "builtfor_example", hang = true, times = 1 });
        var doomed = fleet.Replicas[0].GetAsync(Question);
        await GatewayProcess.EventuallyAsync(async () => await fleet.ComponentCallsAsync() == 2, TimeSpan.FromSeconds(5));
        var waiting = fleet.Replicas[1].GetAsync(Question);
        await fleet.Replicas[0].KillAsync();
        Assert.True(await Record.ExceptionAsync(() => doomed) is HttpRequestException or System.Net.Sockets.SocketException);

        // The lease lives a second longer than a load of time-out plus allowance may take.
        var answer = await waiting.WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_replica_that_is_stopped_in_mid_load_gives_its_lease_back()
    {
        await using var fleet = await Fleet.StartAsync(2);
        await fleet.AskAllAsync(1, _ => "/catalog?product=reviews_example&prices=skip");
        await fleet.Simulator.FaultAsync("billing", new { match = "builtfor_example", hang = true, times = 1 });
        using var client = new HttpClient { BaseAddress = fleet.Replicas[0].Address };
        using var leaving = new CancellationTokenSource();
        var doomed = client.GetAsync(Question, leaving.Token);
        await GatewayProcess.EventuallyAsync(async () => await fleet.ComponentCallsAsync() == 2, TimeSpan.FromSeconds(5));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => doomed);

        await fleet.Replicas[0].StopAsync();

        Assert.Empty(await fleet.Redis.KeysAsync("gateway:lease:*"));
        Assert.Equal(HttpStatusCode.OK, (await fleet.Replicas[1].GetAsync(Question)).Status);
    }

    [Fact]
    public async Task Entries_of_another_wire_version_are_neither_read_nor_touched()
    {
        await using var fleet = await Fleet.StartAsync(1);
        await fleet.Replicas[0].GetAsync(Question);
        var keys = await fleet.Redis.KeysAsync("gateway:v2:*");
        Assert.NotEmpty(keys);
        var foreign = keys.ConvertAll(key => key.Replace(":v2:", ":v1:", StringComparison.Ordinal));
        await fleet.Redis.AskAsync(async (database, _) =>
        {
            foreach (var (key, other) in keys.Zip(foreign))
            {
                var wire = (byte[])(await database.StringGetAsync(key))!;
                wire[0] = 1;
                await database.StringSetAsync(key, wire);
                await database.StringSetAsync(other, "another version's");
            }

            return true;
        });

        var second = await fleet.AddAsync();
        await second.RedisIsUpAsync();
        var answer = await second.GetAsync(Question);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(2, await fleet.ComponentCallsAsync());
        Assert.All(
            await fleet.Redis.AskAsync((database, _) => Task.WhenAll(foreign.Select(key => database.StringGetAsync(key)))),
            value => Assert.Equal("another version's", (string?)value));
    }

    [Fact]
    public async Task With_all_upstreams_down_everything_is_answered_stale_for_the_whole_window_and_then_the_problem()
    {
        await using var fleet = await Fleet.StartAsync(1, ("Catalog:FreshFor", "00:00:01"), ("Catalog:StaleFor", "00:00:06"));
        var gateway = fleet.Replicas[0];
        var warm = await gateway.GetAsync("/catalog?product=builtfor_example&type=plan");
        Assert.Equal(6, (int)warm.Json["completeness"]!["priced"]!);
        foreach (var upstream in new[] { "authorization", "billing", "paymentwall" })
        {
            await fleet.Simulator.FaultAsync(upstream, new { status = 503 });
        }

        var started = TimeProvider.System.GetTimestamp();
        var sinceStale = new List<Answer>();
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(5))
        {
            var answer = await gateway.GetAsync("/catalog?product=builtfor_example&type=plan");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            if (sinceStale.Count > 0 || (int)answer.Json["completeness"]!["stale"]! == 6)
            {
                sinceStale.Add(answer);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        Assert.NotEmpty(sinceStale);
        Assert.All(sinceStale, answer =>
        {
            Assert.Equal(6, (int)answer.Json["completeness"]!["stale"]!);
            Assert.True((bool)answer.Json["completeness"]!["complete"]!);
            Assert.All(answer.Items, item => Assert.NotNull(item!["price"]!["asOf"]));
            Assert.StartsWith("public, max-age=0,", answer.Headers["Cache-Control"], StringComparison.Ordinal);
        });
        await GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync("/catalog?product=builtfor_example&type=plan")).Code == "upstreamRejected", TimeSpan.FromSeconds(10));
        await fleet.Simulator.ClearFaultsAsync();
        await GatewayProcess.EventuallyAsync(
            async () => (int?)(await gateway.GetAsync("/catalog?product=builtfor_example&type=plan")).Json["completeness"]?["priced"] == 6, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_thousand_rejected_tokens_at_once_cause_one_renewal()
    {
        await using var fleet = await Fleet.StartAsync(1);
        await fleet.AskAllAsync(1, _ => "/catalog?product=reviews_example&prices=skip");
        await fleet.Simulator.RevokeTokensAsync();

        var languages = new[] { "en", "fr", "de", "es", "it", "pt", "nl", "pl", "sv", "fi", "da", "cs", "el", "hu", "ro", "bg", "ja", "ko", "zh", "ar" };
        var answers = await fleet.AskAllAsync(1_000, n => $"/catalog?product=bulk_{n % 50:000}&lang={languages[n / 50]}&prices=skip");

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(2, await fleet.Simulator.TokenRequestsAsync());
    }

    [Fact]
    public async Task A_redis_that_accepts_and_never_answers_delays_nobody()
    {
        using var hole = new TcpListener(IPAddress.Loopback, 0);
        hole.Start(backlog: 100);
        await using var simulator = await SimulatorProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(
            simulator, ("Redis:ConnectionString", hole.LocalEndpoint.ToString()!), ("Redis:OperationTimeout", "00:00:05"));

        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(Question)).Status);

        // A single wait for it would have cost the five seconds of OperationTimeout.
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task A_redis_that_stops_answering_costs_one_short_delay_and_then_none_and_is_used_again_when_it_is_back()
    {
        const int Stop = 19;
        const int Continue = 18;
        await using var fleet = await Fleet.StartAsync(1, ("Redis:OperationTimeout", "00:00:02"));
        var gateway = fleet.Replicas[0];
        await gateway.GetAsync("/catalog?product=reviews_example&prices=skip");
        fleet.Redis.Signal(Stop);

        var first = await TimeAsync("/catalog?product=bulk_000&prices=skip");
        var others = new[] { await TimeAsync("/catalog?product=bulk_001&prices=skip"), await TimeAsync("/catalog?product=bulk_002&prices=skip") };

        // Less than a second delay of two; the sum of all would be more if one had waited in the cool-off.
        Assert.True(first < TimeSpan.FromSeconds(3), first.ToString());
        // Of a cluster each node is left alone by itself.
        Assert.InRange(others.Count(time => time >= TimeSpan.FromSeconds(1.5)), 0, RedisServer.Form == "cluster" ? 2 : 0);
        await gateway.LogLineAsync("Redis is not in use");
        fleet.Redis.Signal(Continue);
        await gateway.RedisIsUpAsync();

        async Task<TimeSpan> TimeAsync(string path)
        {
            var started = TimeProvider.System.GetTimestamp();
            Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync(path)).Status);
            return TimeProvider.System.GetElapsedTime(started);
        }
    }

    [Fact]
    public async Task A_warm_answer_and_a_304_make_no_upstream_call_and_no_redis_call()
    {
        await using var fleet = await Fleet.StartAsync(1);
        var etag = (await fleet.Replicas[0].GetAsync(Question)).Headers["ETag"];
        var upstreamBefore = await TotalCallsAsync();
        var redisBefore = await DataCommandsAsync();

        for (var request = 0; request < 50; request++)
        {
            Assert.Contains("; hit;", (await fleet.Replicas[0].GetAsync(Question)).Headers["Cache-Status"], StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.NotModified, (await fleet.Replicas[0].GetAsync(Question, ("If-None-Match", etag))).Status);
        }

        Assert.Equal(upstreamBefore, await TotalCallsAsync());
        Assert.Equal(redisBefore, await DataCommandsAsync());

        async Task<int> TotalCallsAsync() =>
            await fleet.Simulator.TokenRequestsAsync() + await fleet.ComponentCallsAsync() + (await fleet.Simulator.ReceivedAsync("paymentwall")).Count;

        // Not those that run by the clock: the ledger's script and what it calls, and the connection's own.
        async Task<string> DataCommandsAsync() => string.Join(' ', (await fleet.Redis.EveryNodeAsync(server => server.InfoAsync("commandstats")))
            .SelectMany(groups => groups.SelectMany(group => group))
            .Where(pair => pair.Key is "cmdstat_mget" or "cmdstat_set" or "cmdstat_exists" or "cmdstat_setex" or "cmdstat_psetex")
            .Select(pair => pair.Key + pair.Value.Split(',')[0])
            .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 10)]
    public async Task A_hard_purge_on_one_replica_changes_the_next_answer_of_the_others(bool withoutMessages, int seconds)
    {
        Assert.SkipWhen(withoutMessages && RedisServer.Form == "garnet", "Garnet without an ACL file has no rights to take away.");
        await using var fleet = await Fleet.StartAsync(0);
        if (withoutMessages)
        {
            await fleet.Redis.EveryNodeAsync(server => server.ExecuteAsync("ACL", "SETUSER", fleet.Redis.AclUser, "-subscribe", "-psubscribe"));
        }

        await Task.WhenAll(fleet.AddAsync(), fleet.AddAsync(), fleet.AddAsync());
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.RedisIsUpAsync()));
        const string Sku = "builtfor_example-pro-EUR-monthly";
        await fleet.Simulator.PriceAsync(Sku, """{"object":"product","amount":"1.00","currency":"EUR"}""");
        Assert.All(await fleet.AskAllAsync(1, _ => Question), answer => Assert.Equal("1.00", Price(answer)));
        await fleet.Simulator.PriceAsync(Sku, """{"object":"product","amount":"2.00","currency":"EUR"}""");
        Assert.All(await fleet.AskAllAsync(1, _ => Question), answer => Assert.Equal("1.00", Price(answer)));

        await fleet.Replicas[0].PurgeAsync($"sku={Sku}&hard=true");

        Assert.Equal("2.00", Price(await fleet.Replicas[0].GetAsync(Question)));
        await GatewayProcess.EventuallyAsync(
            async () => (await fleet.AskAllAsync(1, _ => Question)).All(answer => Price(answer) == "2.00"), TimeSpan.FromSeconds(seconds + 1));
        Assert.Equal(1, await fleet.ComponentCallsAsync());

        static string? Price(Answer answer) => (string?)answer.Component(Sku)["price"]!["amount"];
    }

    [Fact]
    public async Task A_load_that_began_before_a_purge_does_not_bring_the_old_value_back()
    {
        await using var fleet = await Fleet.StartAsync(2);
        await fleet.AskAllAsync(1, _ => "/catalog?product=reviews_example&prices=skip");
        await fleet.Simulator.FaultAsync("billing", new { latencyMs = 1500, times = 1, body = """{"items":[{"id":"old"}],"total":1}""" });
        await fleet.Simulator.ComponentsAsync("bulk_000", """{"items":[{"id":"new"}],"total":1}""");
        var slow = fleet.Replicas[0].GetAsync("/catalog?product=bulk_000&prices=skip");
        await GatewayProcess.EventuallyAsync(async () => await fleet.ComponentCallsAsync() == 2, TimeSpan.FromSeconds(5));

        await fleet.Replicas[0].PurgeAsync("product=bulk_000&hard=true");

        Assert.NotNull((await fleet.Replicas[0].GetAsync("/catalog?product=bulk_000&prices=skip")).Component("new"));
        await slow;
        foreach (var replica in fleet.Replicas)
        {
            Assert.NotNull((await replica.GetAsync("/catalog?product=bulk_000&prices=skip")).Component("new"));
        }
    }
}
