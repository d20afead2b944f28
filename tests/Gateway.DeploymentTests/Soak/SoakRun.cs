using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// Three gateways behind haproxy under mixed load, while prices change, tokens expire, upstreams and Redis fail and come back, and
/// replicas are restarted and killed; every answer goes through the <see cref="AnswerChecker"/>. In order: (1) what is true is read
/// and set; (2) customers, troubles, changes and measurements side by side; (3) calm, so that what lingers shows; (4) the logs.
/// </summary>
internal sealed class SoakRun : IDisposable
{
    private const int CatalogCustomers = 18;
    private const int BackendCustomers = 6;
    private const int Replicas = 3;
    private const int SigTerm = 15;
    private const int SigStop = 19;
    private const int SigContinue = 18;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(70);
    private static readonly TimeSpan PriceChangePace = TimeSpan.FromMilliseconds(80);

    /// <summary>Every replica reads the purges again so often: one that could not tell the others of its own does so then.</summary>
    private static readonly TimeSpan Hearsay = TimeSpan.FromSeconds(12);

    /// <summary>A purge or a birth so long before the loss of Redis may have been missed with it.</summary>
    private static readonly TimeSpan Shaky = TimeSpan.FromSeconds(25);

    /// <summary>At the end, without any trouble.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    private readonly Cluster _cluster;
    private readonly SoakWorld _world;
    private readonly PriceLedger _prices;
    private readonly TimeSpan _duration;
    private readonly int _seed;
    private readonly bool _isShort;
    private readonly TroubleLog _troubles = new();
    private readonly WarmthLedger _warmth = new();
    private readonly DemandLedger _demand = new();
    private readonly Pauses _pauses = new();
    private readonly Crowding _crowding = new();
    private readonly AnswerChecker _checker;
    private readonly UpstreamWatch _upstreams;
    private readonly ConcurrentQueue<Violation> _violations = new();
    private readonly ConcurrentQueue<(double Seconds, double Milliseconds, string Kind, int Status, bool IsCatalog)> _answers = new();
    private readonly ConcurrentQueue<ProcessSample> _samples = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly ConcurrentDictionary<string, int> _shown = new(StringComparer.Ordinal);
    private readonly int[] _generations = new int[Replicas];
    private readonly DateTimeOffset[] _bornAt = new DateTimeOffset[Replicas];
    private readonly HttpClient _admin;
    private readonly DateTimeOffset _startedAt;
    private readonly ConcurrentQueue<Task> _agreements = new();
    private readonly CancellationTokenSource _over = new();
    private DateTimeOffset _lastPurge = DateTimeOffset.MinValue;
    private long _logCharacters;

    private SoakRun(Cluster cluster, SoakWorld world, PriceLedger prices, TimeSpan duration, int seed)
    {
        (_cluster, _world, _prices, _duration, _seed) = (cluster, world, prices, duration, seed);
        _isShort = duration < TimeSpan.FromMinutes(1);
        _checker = new AnswerChecker(world, prices, _troubles, _warmth, _demand);
        _upstreams = new UpstreamWatch(cluster.Simulator.Control, _troubles);
        _admin = new HttpClient();
        _admin.DefaultRequestHeaders.Add("X-Api-Key", GatewayProcess.AdminKey);
        _startedAt = Now;
        Array.Fill(_bornAt, _startedAt);
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public static async Task<SoakResult> RunAsync(TimeSpan duration, int seed)
    {
        await using var cluster = await Cluster.StartAsync(
            [
                ("Catalog:FreshFor", SoakBounds.FreshFor.ToString("c")),
                ("Catalog:NotFoundFor", SoakBounds.NotFoundFor.ToString("c")),
            ],
            [$"--Simulator:TokenLifetime={SoakBounds.TokenLife:c}", "--Logging:LogLevel:Simulator=Warning"],
            "  http-response set-header X-Served-By %s\n  option dontlog-normal\n");

        // 1
        var world = await ReadWorldAsync(cluster);
        await Task.WhenAll(cluster.Gateways.Select(gateway => GatewayProcess.EventuallyAsync(
            async () => (await gateway.GetAsync($"/catalog?product={SoakMix.Rare[0]}&country=CH")).Status == System.Net.HttpStatusCode.OK, TimeSpan.FromSeconds(60))));
        var prices = new PriceLedger(SoakMix.Countries);
        await SetPricesAsync(cluster, world, prices);
        using var run = new SoakRun(cluster, world, prices, duration, seed);
        return await run.RunAsync();
    }

    public void Dispose()
    {
        _admin.Dispose();
        _upstreams.Dispose();
        _over.Dispose();
    }

    private async Task<SoakResult> RunAsync()
    {
        // 2
        using var troublesEnd = new CancellationTokenSource(_duration, TimeProvider.System);
        using var loadEnd = new CancellationTokenSource();
        var customers = Enumerable.Range(0, CatalogCustomers + BackendCustomers)
            .Select(number => AskAsync(new SoakMix(new Random(_seed + number), isBackend: number >= CatalogCustomers), loadEnd.Token)).ToList();
        Task[] watching = [_pauses.WatchAsync(loadEnd.Token), _crowding.WatchAsync(loadEnd.Token), _upstreams.WatchAsync(loadEnd.Token), SampleAsync(loadEnd.Token)];
        Task[] troubles =
        [
            BreakUpstreamsAsync(new Random(_seed + 1_000), troublesEnd.Token),
            BreakOurselvesAsync(new Random(_seed + 1_001), troublesEnd.Token),
            ChangePricesAsync(new Random(_seed + 1_002), troublesEnd.Token),
        ];
        await Task.WhenAll(troubles);

        // 3
        await _cluster.Simulator.ClearFaultsAsync();
        await Task.Delay(_isShort ? Calm / 2 : Calm * 4, TimeProvider.System);
        await loadEnd.CancelAsync();
        await Task.WhenAll(customers);
        await Task.WhenAll(watching);
        await _over.CancelAsync();
        await Task.WhenAll(_agreements);

        // 4
        foreach (var (replica, gateway) in _cluster.Gateways.Index())
        {
            LookIntoLog(replica, gateway);
        }

        _upstreams.JudgeTokens();
        var flatness = JudgeFlatness();
        return new SoakResult
        {
            StartedAt = _startedAt,
            Duration = Now - _startedAt,
            Seed = _seed,
            Violations = [.. _violations.Concat(_upstreams.Violations).OrderBy(violation => violation.At)],
            Answers = [.. _answers],
            Troubles = _troubles.All,
            Samples = [.. _samples],
            UpstreamCalls = _upstreams.Calls,
            PricesShown = _shown,
            PriceChanges = _prices.Count,
            Tokens = _upstreams.Tokens,
            TokensJudged = _upstreams.TokenPairsJudged,
            LostToKills = _checker.LostToKills,
            LostToTheMachine = _checker.LostToTheMachine,
            LogCharacters = _logCharacters,
            WarmInTrouble = _checker.WarmInTrouble,
            Pauses = _pauses.Total,
            Crowding = _crowding.Overall,
            Flatness = flatness,
            Log = _log,
        };
    }

    /// <summary>From Billing itself, through the proxy: another way than the catalog's.</summary>
    private static async Task<SoakWorld> ReadWorldAsync(Cluster cluster)
    {
        var listings = new Dictionary<(string, bool), IReadOnlyList<SoakWorld.Component>>();
        (string Product, bool Sandbox)[] all = [.. SoakMix.Hot.Concat(SoakMix.Rare).Select(product => (product, false)), (SoakMix.Hot[0], true), (SoakMix.Hot[1], true)];
        foreach (var (product, sandbox) in all)
        {
            var path = $"/billing/v1/products/{product}/components?filter_status=active{(sandbox ? "&sandbox=true" : "")}";
            var answer = await cluster.Gateways[0].GetAsync(path);
            for (var attempt = 1; answer.Status != System.Net.HttpStatusCode.OK && attempt < 10; attempt++)
            {
                answer = await cluster.Gateways[0].GetAsync(path);
            }

            listings.Add((product, sandbox), [.. answer.Json["items"]!.AsArray().Select(item =>
                new SoakWorld.Component((string)item!["id"]!, (string)item["componentType"]!, (string?)item["billingPeriodUnit"]))]);
        }

        return new SoakWorld(listings);
    }

    private static async Task SetPricesAsync(Cluster cluster, SoakWorld world, PriceLedger prices)
    {
        // What has no SKU at Paymentwall stays so, and what is not sold everywhere too.
        var all =
            from sku in world.Listings.Values.SelectMany(components => components).Select(component => component.Id)
            where !sku.EndsWith("-setup-EUR-once", StringComparison.Ordinal)
            from country in sku.EndsWith("-priority-EUR-monthly", StringComparison.Ordinal) ? ["US", "FR", "DE"] : SoakMix.Countries.Select(one => one.Country)
            select (Sku: sku, Country: country);
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (one, _) =>
        {
            await ChangePriceAsync(cluster, prices, one.Country, one.Sku, isSold: true);
            if (PriceLedger.Follower(one.Sku) is { } next)
            {
                await ChangePriceAsync(cluster, prices, one.Country, next, isSold: true);
            }
        });
    }

    private static async Task ChangePriceAsync(Cluster cluster, PriceLedger prices, string country, string sku, bool isSold)
    {
        var version = prices.Begin(country, sku, isSold, Now);
        await cluster.Simulator.PriceAsync(sku, prices.Body(country, sku, version), country);
        prices.Complete(country, sku, version, Now);
    }

    private async Task ChangePricesAsync(Random random, CancellationToken stop)
    {
        var skus = _world.Listings.Where(listing => SoakMix.Hot.Contains(listing.Key.Product)).SelectMany(listing => listing.Value.Select(component => component.Id))
            .Where(sku => _prices.Knows("US", sku)).ToList();
        skus.AddRange([.. skus.Select(PriceLedger.Follower).OfType<string>()]);
        string[] countries = ["US", "FR", "DE", "JP"];
        var unsold = new Queue<(string Country, string Sku)>();
        while (!stop.IsCancellationRequested)
        {
            var (country, sku) = unsold.Count > 0 && random.Next(10) == 0 ? unsold.Dequeue() : (countries[random.Next(countries.Length)], skus[random.Next(skus.Count)]);
            if (_prices.Knows(country, sku))
            {
                // Bulk products alone go out of sale now and then: what is asked of the others does not depend on it.
                var isSold = !sku.StartsWith("bulk_", StringComparison.Ordinal) || random.Next(40) > 0;
                await ChangePriceAsync(_cluster, _prices, country, sku, isSold);
                if (!isSold)
                {
                    unsold.Enqueue((country, sku));
                }
            }

            await WaitAsync(PriceChangePace, stop);
        }
    }

    // --- What goes wrong elsewhere ---------------------------------------------------------------------------------------------

    private async Task BreakUpstreamsAsync(Random random, CancellationToken stop)
    {
        if (_isShort)
        {
            // Long enough for what was loaded before to be stale.
            await WaitAsync(TimeSpan.FromSeconds(2), stop);
            await FaultAsync(FaultCard.All.Single(card => card is { Upstream: "paymentwall", What: "500" }), SoakBounds.FreshFor + TimeSpan.FromSeconds(1), stop);
            await FaultAsync(FaultCard.All.Single(card => card is { Upstream: "billing", What: "drops" }), TimeSpan.FromSeconds(2), stop);
            return;
        }

        await WaitAsync(TimeSpan.FromSeconds(15), stop);
        while (!stop.IsCancellationRequested)
        {
            var deck = FaultCard.All.ToArray();
            random.Shuffle(deck);
            foreach (var card in deck)
            {
                await FaultAsync(card, TimeSpan.FromSeconds(5 + (9 * random.NextDouble())), stop);

                // Now and then long enough for everything to be well again.
                await WaitAsync(TimeSpan.FromSeconds(random.Next(4) == 0 ? 20 : 3 + (5 * random.NextDouble())), stop);
            }
        }
    }

    private async Task FaultAsync(FaultCard card, TimeSpan life, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
        {
            return;
        }

        var trouble = _troubles.Begin(new Trouble(card.Upstream, $"{card.Upstream}: {card.What}", Now, card.Aftermath, card.Excuses));
        await _cluster.Simulator.FaultAsync(card.Upstream, card.Fault);
        await WaitAsync(life, stop);
        await _cluster.Simulator.FaultAsync(card.Upstream, Array.Empty<object>());
        trouble.End(Now);
    }

    // --- What goes wrong with us: the first replica is left alone --------------------------------------------------------------

    private async Task BreakOurselvesAsync(Random random, CancellationToken stop)
    {
        if (_isShort)
        {
            await WaitAsync(TimeSpan.FromSeconds(1), stop);
            await KillAsync(2);
            await LoseRedisAsync(TimeSpan.FromSeconds(2));
            await PurgeAsync($"product={SoakMix.Hot[0]}&hard=true", "components", SoakMix.Hot[0], isHard: true);
            return;
        }

        await WaitAsync(TimeSpan.FromSeconds(20), stop);
        while (!stop.IsCancellationRequested)
        {
            Func<Task>[] deck =
            [
                () => LoseRedisAsync(TimeSpan.FromSeconds(5 + random.Next(10))),
                () => HoldRedisAsync(TimeSpan.FromSeconds(4 + random.Next(6))),
                () => RestartAsync(1),
                () => RestartAsync(2),
                async () =>
                {
                    await RestartAsync(2);
                    await RestartAsync(1);
                },
                () => KillAsync(1 + random.Next(2)),
                () => KillAsync(1 + random.Next(2)),
                () => PurgeAsync("all=true&hard=true", null, null, isHard: true),
                () => PurgeAsync("all=true", null, null, isHard: false),
                () => SoakMix.Hot[random.Next(SoakMix.Hot.Length)] is var product ? PurgeAsync($"product={product}&hard=true", "components", product, isHard: true) : Task.CompletedTask,
                () => SoakMix.Hot[random.Next(SoakMix.Hot.Length)] is var product ? PurgeAsync($"product={product}", "components", product, isHard: false) : Task.CompletedTask,
                () => PurgeAsync("sku=builtfor_example-pro-EUR-monthly&hard=true", "price", "builtfor_example-pro-EUR-monthly", isHard: true),
                RevokeAsync,
                RevokeAsync,
            ];
            random.Shuffle(deck);
            foreach (var trouble in deck)
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                await trouble();
                await WaitAsync(TimeSpan.FromSeconds(4 + (8 * random.NextDouble())), stop);
            }
        }
    }

    private async Task RevokeAsync()
    {
        var trouble = _troubles.Begin(new Trouble(
            "revoke", "all access tokens are revoked", Now, TimeSpan.FromSeconds(35),
            "billing:upstreamRejected", "billing:tokenUnavailable", "billing-proxy:upstreamRejected", "billing-proxy:tokenUnavailable"));
        await _cluster.Simulator.RevokeTokensAsync();
        trouble.End(Now);
    }

    /// <summary>
    /// A replica that has never read the log of purges, or that may have missed one, takes what it missed for a purge of everything
    /// (docs/caching.md): for those nothing counts as warm until all have read it again.
    /// </summary>
    private async Task LoseRedisAsync(TimeSpan life)
    {
        var began = Now;
        var trouble = _troubles.Begin(new Trouble("redis", "Redis is killed, and restarted empty", began, TimeSpan.Zero));
        await _cluster.Redis.KillAsync();
        await Task.Delay(life, TimeProvider.System);
        List<WarmthLedger.Purge> missed = began - _lastPurge < Shaky
            ? [_warmth.Begin(kind: null, name: null, instance: null, Now)]
            : [.. Enumerable.Range(1, 2).Where(replica => began - _bornAt[replica] < Shaky).Select(replica => _warmth.Begin(null, null, Instance(replica), Now))];
        await _cluster.Redis.RestartAsync();
        trouble.End(Now);
        missed.ForEach(EndOnceAgreed);
    }

    private async Task HoldRedisAsync(TimeSpan life)
    {
        var trouble = _troubles.Begin(new Trouble("redis", "Redis accepts and never answers", Now, TimeSpan.Zero));
        _cluster.Redis.Signal(SigStop);
        await Task.Delay(life, TimeProvider.System);
        _cluster.Redis.Signal(SigContinue);
        trouble.End(Now);
    }

    private async Task PurgeAsync(string what, string? kind, string? name, bool isHard)
    {
        var trouble = _troubles.Begin(new Trouble("purge", "purge " + what, Now, TimeSpan.Zero));
        var purge = isHard ? _warmth.Begin(kind, name, instance: null, Now) : null;
        using var answer = await PurgeAtAReplicaAsync(what);
        var all = answer.IsSuccessStatusCode && (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())?["replicas"] == "all";
        if (!all)
        {
            // Redis was not in use yet: the others will take it for a purge of everything.
            EndOnceAgreed(_warmth.Begin(kind: null, name: null, instance: null, Now));
        }

        if ((int)answer.StatusCode != 202)
        {
            _violations.Enqueue(new Violation(Now, "status codes", $"A purge was answered with {(int)answer.StatusCode}.", "POST /admin/cache/purge?" + what, await answer.Content.ReadAsStringAsync()));
        }

        if (purge is not null)
        {
            EndOnceAgreed(purge);
        }

        _lastPurge = Now;
        trouble.End(Now);
    }

    /// <summary>At the first that is not just being replaced.</summary>
    private async Task<HttpResponseMessage> PurgeAtAReplicaAsync(string what)
    {
        foreach (var gateway in _cluster.Gateways.SkipLast(1))
        {
            try
            {
                return await _admin.PostAsync(new Uri(gateway.Management, "/admin/cache/purge?" + what), content: null);
            }
            catch (HttpRequestException)
            {
                // The next one, then.
            }
        }

        return await _admin.PostAsync(new Uri(_cluster.Gateways[^1].Management, "/admin/cache/purge?" + what), content: null);
    }

    /// <summary>A purge is over when all replicas have read the same purges, by their own word.</summary>
    private void EndOnceAgreed(WarmthLedger.Purge purge) => _agreements.Enqueue(Task.Run(async () =>
    {
        await WaitAsync(Hearsay, _over.Token);
        while (!_over.IsCancellationRequested && !await HaveAgreedAsync())
        {
            await WaitAsync(TimeSpan.FromSeconds(1), _over.Token);
        }

        purge.End(Now);
    }));

    private async Task<bool> HaveAgreedAsync()
    {
        var epochs = new HashSet<long>();
        foreach (var gateway in _cluster.Gateways)
        {
            try
            {
                using var answer = await _admin.GetAsync(new Uri(gateway.Management, "/health/details"));
                var details = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
                if (!(bool)details["redis"]!["purgesKnown"]!)
                {
                    return false;
                }

                epochs.Add((long)details["cache"]!["purgeEpoch"]!);
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException)
            {
                // It is being replaced.
                return false;
            }
        }

        return epochs.Count == 1;
    }

    private async Task RestartAsync(int replica)
    {
        var trouble = _troubles.Begin(new Trouble("restart", $"gateway-{replica + 1} is told to stop, and started anew", Now, TimeSpan.Zero));
        var leaving = _cluster.Gateways[replica];
        leaving.Signal(SigTerm);
        var code = await leaving.ExitCodeAsync();
        if (code != 0)
        {
            _violations.Enqueue(new Violation(Now, "a clean stop", $"gateway-{replica + 1} ended with {code} when told to stop.", "", ""));
        }

        await ReplaceAsync(replica, leaving);
        trouble.End(Now);
    }

    private async Task KillAsync(int replica)
    {
        // Whoever waits for what it was loading waits for the end of its lease: 5 to 6 s, and 11 s for a token.
        var trouble = _troubles.Begin(new Trouble(
            "kill", $"gateway-{replica + 1} is killed", Now, TimeSpan.FromSeconds(12),
            "paymentwall:timeout", "paymentwall:pricesUnavailable", "billing:upstreamTimedOut", "billing:tokenUnavailable", "billing-proxy:tokenUnavailable"));
        var killed = _cluster.Gateways[replica];
        await killed.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        trouble.End(Now);
        await ReplaceAsync(replica, killed);
    }

    private async Task ReplaceAsync(int replica, GatewayProcess gone)
    {
        var trouble = _troubles.Begin(new Trouble("start", $"gateway-{replica + 1} starts", Now, TimeSpan.Zero));
        LookIntoLog(replica, gone);
        _warmth.Forget(Instance(replica));
        _demand.Forget(Instance(replica));
        Interlocked.Increment(ref _generations[replica]);
        _bornAt[replica] = Now;
        await _cluster.StartGatewayAsync(replica);
        _bornAt[replica] = Now;
        trouble.End(Now);
        try
        {
            await gone.DisposeAsync();
        }
        catch (Xunit.Sdk.FailException)
        {
            // A leak: it was found above too.
        }
    }

    private void LookIntoLog(int replica, GatewayProcess gateway)
    {
        var log = gateway.Log;
        _logCharacters += log.Length;
        if (LeakScanner.Find(log) is not null)
        {
            _violations.Enqueue(new Violation(Now, "no secrets", $"A credential is in the log of {Instance(replica)}.", "", ""));
        }

        NoteRedis(replica, log);
        _log.Enqueue($"{Instance(replica)}:\n" + string.Join('\n', log.Split('\n').Where(line =>
            (line.Contains("\"@l\":\"Warning\"", StringComparison.Ordinal) && !line.Contains("PriceDrift", StringComparison.Ordinal))
            || line.Contains("Redis is", StringComparison.Ordinal) || line.Contains("Purged", StringComparison.Ordinal))));
        foreach (var line in log.Split('\n').Where(line => line.Contains("internalError", StringComparison.Ordinal) || line.Contains("Unhandled exception", StringComparison.Ordinal)).Take(5))
        {
            _violations.Enqueue(new Violation(Now, "no bugs", $"The log of {Instance(replica)} tells of one.", "", line.Length > 600 ? line[..600] : line));
        }
    }

    /// <summary>When the process was without Redis by its own word: a Redis that is there but does not answer in time is not used either.</summary>
    private void NoteRedis(int replica, string log)
    {
        Trouble? without = null;
        foreach (var line in log.Split('\n').Where(line => line.Contains("Redis is in use (", StringComparison.Ordinal) || line.Contains("Redis is not in use (", StringComparison.Ordinal)))
        {
            var at = JsonNode.Parse(line)!["@t"]!.GetValue<DateTimeOffset>();
            without?.End(at);
            without = line.Contains("Redis is not in use (", StringComparison.Ordinal)
                ? _troubles.Begin(new Trouble("unused", $"{Instance(replica)} does not use Redis", at, TimeSpan.Zero))
                : null;
        }

        without?.End(Now);
    }

    // --- Load and measurements -------------------------------------------------------------------------------------------------

    private string Instance(int replica) => string.Create(CultureInfo.InvariantCulture, $"gateway-{replica + 1}#{Volatile.Read(ref _generations[replica]) + 1}");

    private async Task AskAsync(SoakMix mix, CancellationToken stop)
    {
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1, AllowAutoRedirect = false, UseCookies = false, UseProxy = false })
        {
            BaseAddress = _cluster.Haproxy.Address,
            Timeout = SoakBounds.ProxyTimeout + TimeSpan.FromSeconds(15),
        };
        var known = new Dictionary<(string Path, string Encoding), (string ETag, CatalogContent Content)>();
        while (!stop.IsCancellationRequested)
        {
            var begun = Now;
            var request = mix.Next();
            var key = (request.Path, request.Encoding);
            var has = known.GetValueOrDefault(key);
            if (request.Catalog is not null && has.ETag is not null && (request.Method == HttpMethod.Head || known.Count % 3 > 0))
            {
                request = request with { IfNoneMatch = has.ETag };
            }

            var seen = await SendAsync(client, request) with { Known = has.Content };
            var (violations, content) = _checker.Check(seen);
            foreach (var violation in violations)
            {
                _violations.Enqueue(violation);
            }

            if (content is not null && seen.Header("etag") is { } etag)
            {
                known[key] = (etag, content);
                foreach (var item in content.Items)
                {
                    _shown.AddOrUpdate(item.Price.Status, 1, (_, count) => count + 1);
                }
            }

            _answers.Enqueue(((seen.SentAt - _startedAt).TotalSeconds, (seen.ReceivedAt - seen.SentAt).TotalMilliseconds, request.Kind, seen.Status, request.Catalog is not null));
            var rest = Pace - (Now - begun);
            await WaitAsync(rest > TimeSpan.Zero ? rest : TimeSpan.FromMilliseconds(1), stop);
        }
    }

    private async Task<Observation> SendAsync(HttpClient client, SoakRequest request)
    {
        using var message = new HttpRequestMessage(request.Method, request.Path);
        message.Headers.TryAddWithoutValidation("Accept-Encoding", request.Encoding);

        // What customers send and no upstream may see.
        message.Headers.TryAddWithoutValidation("Cookie", "session=1");
        if (request.ApiKey is not null)
        {
            message.Headers.TryAddWithoutValidation("X-Api-Key", request.ApiKey);
        }

        if (request.IfNoneMatch is not null)
        {
            message.Headers.TryAddWithoutValidation("If-None-Match", request.IfNoneMatch);
        }

        if (request.Body is not null)
        {
            message.Content = new StringContent(request.Body, Encoding.UTF8, "application/json");
        }

        int[] generations = [.. Enumerable.Range(0, Replicas).Select(replica => Volatile.Read(ref _generations[replica]))];
        var sentAt = Now;
        try
        {
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseContentRead);
            var body = await response.Content.ReadAsByteArrayAsync();
            var receivedAt = Now;
            var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
                .ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString(), StringComparer.Ordinal);
            var server = headers.GetValueOrDefault("x-served-by") is { Length: > 0 } name && name.StartsWith("gateway-", StringComparison.Ordinal)
                ? int.Parse(name["gateway-".Length..], CultureInfo.InvariantCulture) - 1
                : -1;
            return new Observation(request, sentAt, receivedAt, (int)response.StatusCode, headers, body)
            {
                IsGateways = server >= 0,
                Instance = server >= 0 && generations[server] == Volatile.Read(ref _generations[server]) ? Instance(server) : null,
                Pause = _pauses.Between(sentAt, receivedAt),
                PauseBefore = _pauses.Between(sentAt - AnswerChecker.Recently, receivedAt),
                IsStarved = _crowding.Lately(AnswerChecker.Recently) > 0.9,
                IsYoung = server >= 0 && sentAt - _bornAt[server] < TimeSpan.FromSeconds(30),
            };
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            return new Observation(request, sentAt, Now, 0, new Dictionary<string, string>(StringComparer.Ordinal), [])
            {
                Error = $"{exception.GetType().Name}: {exception.Message}",
                Pause = _pauses.Between(sentAt, Now),
            };
        }
    }

    private async Task SampleAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            for (var replica = 0; replica < Replicas; replica++)
            {
                var instance = Instance(replica);
                if (TryProcessId(_cluster.Gateways[replica]) is { } processId && ProcessSample.Take(replica, instance, processId, Now) is { } sample)
                {
                    _samples.Enqueue(sample);
                }
            }

            await WaitAsync(TimeSpan.FromSeconds(1), stop);
        }

        // One that is being replaced has none.
        static int? TryProcessId(GatewayProcess gateway)
        {
            try
            {
                return gateway.ProcessId;
            }
            catch (InvalidOperationException)
            {
                return null;
            }
        }
    }

    /// <summary>Of the replica that was left alone. In a run of less than ten minutes caches and pools are still filling: not judged.</summary>
    private Dictionary<string, Flatness> JudgeFlatness()
    {
        var all = new Dictionary<string, Flatness>(StringComparer.Ordinal)
        {
            ["resident memory, MiB"] = Of(sample => sample.ResidentMiB, allowance: 16),
            ["handles"] = Of(sample => sample.Handles, allowance: 20),
            ["threads"] = Of(sample => sample.Threads, allowance: 12),
        };
        if (_duration >= TimeSpan.FromMinutes(10))
        {
            foreach (var (name, flatness) in all.Where(one => !one.Value.IsFlat))
            {
                _violations.Enqueue(new Violation(Now, "flatness", $"{name} of gateway-1 rose by {flatness.Rise:0.0} over the later half; its median there is {flatness.Median:0.0}.", "", ""));
            }
        }

        return all;

        Flatness Of(Func<ProcessSample, double> value, double allowance) => Soak.Flatness.Of(
            [.. _samples.Where(sample => sample.Replica == 0).Select(sample => ((sample.At - _startedAt).TotalSeconds, value(sample)))], allowance);
    }

    private static async Task WaitAsync(TimeSpan time, CancellationToken stop) =>
        await Task.Delay(time, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
