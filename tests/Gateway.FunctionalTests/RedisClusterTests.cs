using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Stack;
using StackExchange.Redis;

namespace Gateway.FunctionalTests;

/// <summary>Two replicas share a real Redis Cluster as they share one Redis, also while a node of it is lost or its slots are moved.</summary>
public sealed partial class RedisClusterTests : IAsyncLifetime
{
    private const string Question = "/catalog?product=builtfor_example&country=FR";

    private static readonly (string, string)[] Limit = [("Security:RateLimits:Proxy:PermitsPerSecond", "0.01"), ("Security:RateLimits:Proxy:Burst", "5")];

    /// <summary>What a replica sends; the others are also called by scripts.</summary>
    private static readonly string[] Counted = ["eval", "exists", "getrange"];

    /// <summary>Commands of one replica for one of 14 keys that another one loads in 300 ms, some of them twice as long.</summary>
    private const int MostLooks = 30;

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine.");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Two_replicas_make_one_call_of_each_kind_and_hear_of_each_other_s_purges_and_keep_one_limit()
    {
        await using var fleet = await Fleet.StartOnAsync(await RedisClusterProcess.StartAsync(), 2, Limit);
        foreach (var upstream in new[] { "authorization", "billing", "paymentwall" })
        {
            await fleet.Simulator.FaultAsync(upstream, new { latencyMs = 100 });
        }

        const string Sku = "builtfor_example-pro-EUR-monthly";
        await fleet.Simulator.PriceAsync(Sku, """{"object":"product","amount":"1.00","currency":"EUR"}""");
        var answers = await fleet.AskAllAsync(100, _ => Question);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal((1, 1, 1), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));

        await fleet.Simulator.PriceAsync(Sku, """{"object":"product","amount":"2.00","currency":"EUR"}""");
        await fleet.Replicas[0].PurgeAsync($"sku={Sku}&hard=true");
        await GatewayProcess.EventuallyAsync(
            async () => (string?)(await fleet.Replicas[1].GetAsync(Question)).Component(Sku)["price"]!["amount"] == "2.00", TimeSpan.FromSeconds(2));

        var limited = await fleet.AskAllAsync(5, _ => "/v1/nothing");
        Assert.Equal(5, limited.Count(answer => answer.Status == HttpStatusCode.TooManyRequests));
        Assert.All(fleet.Replicas, replica => Assert.DoesNotContain("Redis is not in use", replica.Log, StringComparison.Ordinal));
    }

    /// <summary>Between the loss of a node and its replacement what lay there is each replica's own.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ten_replicas_make_one_call_of_each_kind_also_when_a_primary_is_replaced(bool isNodeLost)
    {
        var cluster = await RedisClusterProcess.StartAsync(withReplicas: isNodeLost);
        await using var fleet = await Fleet.StartOnAsync(
            cluster,
            10,
            ("Redis:OperationTimeout", "00:00:05"),
            ("Catalog:Deadline", "00:00:20"),
            ("Billing:Timeout", "00:00:15"),
            ("Billing:AttemptTimeout", "00:00:15"),
            ("Paymentwall:Timeout", "00:00:15"),
            ("Paymentwall:AttemptTimeout", "00:00:15"));

        // Ten processes on few processors: each has done all of it before.
        Assert.All(await fleet.AskAllAsync(1, _ => "/catalog?product=builtfor_example&country=DE"), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal((1, 1, 1), (await fleet.Simulator.TokenRequestsAsync(), await fleet.ComponentCallsAsync(), await fleet.MostCallsPerSkuAsync()));
        if (isNodeLost)
        {
            await cluster.Nodes[0].KillAsync();
            await RedisClusterProcess.EventuallyAsync(async () => ((string)(await cluster.Nodes[3].AskAsync("INFO", "replication"))!).Contains("role:master", StringComparison.Ordinal));
            await fleet.SharesAllAsync();
        }

        foreach (var upstream in new[] { "billing", "paymentwall" })
        {
            await fleet.Simulator.FaultAsync(upstream, new { latencyMs = 300 });
        }

        // Who needed a token while it lay on the lost node has got one of its own.
        var (calls, tokens) = (await fleet.ComponentCallsAsync(), await fleet.Simulator.TokenRequestsAsync());
        var before = await ReceivedAsync();

        var answers = await fleet.AskAllAsync(10, _ => Question + "&lang=it");

        var received = await ReceivedAsync();
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal((0, 1, 1), (await fleet.Simulator.TokenRequestsAsync() - tokens, await fleet.ComponentCallsAsync() - calls, await fleet.MostCallsPerSkuAsync()));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", received.Select((count, index) => $"{Counted[index]} {(count - before[index]) / 10.0}")) + " a replica");
        Assert.InRange(received.Sum() - before.Sum(), 10 * 14, 10 * 14 * MostLooks);

        async Task<long[]> ReceivedAsync()
        {
            var stats = await cluster.EveryNodeAsync(server => server.IsConnected ? server.InfoAsync("commandstats") : Task.FromResult(Array.Empty<IGrouping<string, KeyValuePair<string, string>>>()));
            return [.. Counted.Select(name => stats.SelectMany(groups => groups.SelectMany(group => group)).Where(pair => pair.Key == "cmdstat_" + name).Sum(pair => long.Parse(pair.Value.Split(',')[0]["calls=".Length..], CultureInfo.InvariantCulture)))];
        }
    }

    /// <summary>What an ACL has to allow.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_command_that_the_gateway_sends_and_every_key_is_in_the_docs(bool isCluster)
    {
        var docs = await File.ReadAllTextAsync(Path.Combine(Programs.Root, "docs", "caching.md"), TestContext.Current.CancellationToken);
        var documented = Quoted().Matches(CommandLine().Match(docs).Value).Select(match => match.Value).ToList();
        RedisServer redis = isCluster ? await RedisClusterProcess.StartAsync() : await RedisServerProcess.StartAsync();
        await using var fleet = await Fleet.StartOnAsync(redis, 0);
        await redis.EveryNodeAsync(server => server.ExecuteAsync("CONFIG", "RESETSTAT"));
        await Task.WhenAll(fleet.AddAsync(Limit), fleet.AddAsync(Limit));
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.RedisIsUpAsync()));

        await fleet.AskAllAsync(20, _ => Question);
        await fleet.Simulator.RevokeTokensAsync();
        await fleet.AskAllAsync(2, n => $"/catalog?product=bulk_00{n}&prices=skip");
        await fleet.Replicas[0].PurgeAsync("all=true");
        await fleet.AskAllAsync(4, _ => "/v1/nothing");

        var commands = (await redis.EveryNodeAsync(CommandsAsync)).SelectMany(commands => commands).Except(["CONFIG RESETSTAT"]).Distinct().Order(StringComparer.Ordinal).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", commands));
        Assert.Empty(commands.Except(documented));
        var keys = (await redis.EveryNodeAsync(async server => (string[])(await server.ExecuteAsync("KEYS", "*"))!)).SelectMany(keys => keys).ToList();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(' ', keys));
        Assert.All(keys, key => Assert.Contains(KeyNames(docs), name => name.IsMatch(key)));
    }

    private static async Task<IEnumerable<string>> CommandsAsync(IServer server) => (await server.InfoAsync("commandstats"))
        .SelectMany(group => group).Select(pair => pair.Key["cmdstat_".Length..].Replace("|", " ", StringComparison.Ordinal).ToUpperInvariant());

    /// <summary>The first column of the table of keys, as patterns.</summary>
    private static List<Regex> KeyNames(string docs) => KeyRow().Matches(docs)
        .Select(match => new Regex(
            "^" + Placeholder().Replace(Regex.Escape(match.Groups["name"].Value.Replace("…", "gateway", StringComparison.Ordinal)), ".+") + "$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)))
        .ToList();

    [GeneratedRegex("<[^>]*>", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();

    [GeneratedRegex("(?<=`)[A-Z ]+(?=`)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Quoted();

    [GeneratedRegex("^[|] `(?<name>…:[^`]*)` [|]", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyRow();

    [GeneratedRegex(@"(?<=^Commands: )[^.]+(?=\.)", RegexOptions.Multiline | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CommandLine();

    /// <summary>By default a cluster that has lost slots answers nothing at all; with the other setting, what is left is used.</summary>
    [Theory]
    [InlineData("yes", 0)]
    [InlineData("no", 0)]
    [InlineData("no", 1)]
    [InlineData("no", 2)]
    public async Task A_node_killed_under_load_costs_no_answer_and_it_is_used_again_when_it_is_back(string needsAllSlots, int node)
    {
        var cluster = await RedisClusterProcess.StartAsync(withReplicas: false, "--cluster-require-full-coverage", needsAllSlots);
        await using var fleet = await Fleet.StartOnAsync(cluster, 2);
        await using var load = await FreshLoad.StartAsync(fleet);
        await load.AnswersAsync(100);

        await cluster.Nodes[node].KillAsync();
        await fleet.Replicas[0].LogLineAsync(needsAllSlots == "yes" ? "Redis is not in use" : "Redis Cluster is not in use");
        await load.AnswersAsync(300);
        await cluster.Nodes[node].RestartAsync();
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.LogLineAsync("Redis Cluster is in use again")));
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.RedisIsUpAsync()));
        await load.AnswersAsync(100);

        await load.StopAsync();
        await fleet.SharesAllAsync();
    }

    [Fact]
    public async Task A_primary_killed_under_load_is_followed_by_its_replica()
    {
        var cluster = await RedisClusterProcess.StartAsync(withReplicas: true);
        await using var fleet = await Fleet.StartOnAsync(cluster, 2);
        await using var load = await FreshLoad.StartAsync(fleet);
        await load.AnswersAsync(100);

        await cluster.Nodes[0].KillAsync();
        await RedisClusterProcess.EventuallyAsync(async () => ((string)(await cluster.Nodes[3].AskAsync("INFO", "replication"))!).Contains("role:master", StringComparison.Ordinal));
        var promoted = TimeProvider.System.GetTimestamp();
        await UsesAsync(cluster.Nodes[3]);
        TestContext.Current.TestOutputHelper?.WriteLine($"The replica is used {TimeProvider.System.GetElapsedTime(promoted).TotalMilliseconds:0} ms after it was promoted");
        await load.AnswersAsync(200);

        await load.StopAsync();
        await fleet.SharesAllAsync();

        // Something that was loaded after the failover; what was there before had been copied.
        async Task UsesAsync(RedisClusterProcess.Node node)
        {
            var before = (string[])(await node.AskAsync("KEYS", "gateway:v*"))!;
            await GatewayProcess.EventuallyAsync(async () => ((string[])(await node.AskAsync("KEYS", "gateway:v*"))!).Except(before).Any(), TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public async Task Slots_that_are_moved_under_load_cost_no_answer_and_are_found_where_they_went()
    {
        var cluster = await RedisClusterProcess.StartAsync();
        await using var fleet = await Fleet.StartOnAsync(cluster, 2);
        await using var load = await FreshLoad.StartAsync(fleet);
        await load.AnswersAsync(100);

        // All that there is of ours on the first node, and the slot of the purges wherever it is.
        var slots = ((string[])(await cluster.Nodes[0].AskAsync("KEYS", "*"))!).Select(RedisClusterProcess.HashSlot).Distinct().Take(60).ToList();
        Assert.NotEmpty(slots);
        foreach (var slot in slots)
        {
            await cluster.MoveAsync(slot, 0, 1);
        }

        var purges = RedisClusterProcess.HashSlot("gateway:{purge}:epoch");
        var from = RedisClusterProcess.HomeOf("gateway:{purge}:epoch");
        await cluster.MoveAsync(purges, from, (from + 1) % 3);
        await load.AnswersAsync(100);

        await load.StopAsync();
        await fleet.SharesAllAsync();
        Assert.All(fleet.Replicas, replica => Assert.DoesNotContain("not in use", replica.Log, StringComparison.Ordinal));
    }
}
