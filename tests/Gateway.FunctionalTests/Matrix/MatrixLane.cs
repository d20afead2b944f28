using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>
/// Dependencies of its own, each behind a <see cref="WireProxy"/>, on which one fault after the other is tried, each with a gateway
/// of its own: circuits and retry budgets are shared by nothing else.
/// </summary>
internal sealed class MatrixLane : IAsyncDisposable
{
    public const string WarmQuestion = "/catalog?product=builtfor_example&type=plan&period=year&lang=en&country=US";

    /// <summary>Of the same product: only language and country keep what is cached for the other question from being the answer.</summary>
    public const string ColdQuestion = "/catalog?product=builtfor_example&type=plan&period=year&lang=fr&country=JP";

    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    /// <summary>For a machine that is busy with the other lanes.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RedisServerProcess _redis;
    private readonly SimulatorProcess _simulator;
    private readonly Dictionary<Dependency, WireProxy> _proxies;

    private MatrixLane(RedisServerProcess redis, SimulatorProcess simulator)
    {
        _redis = redis;
        _simulator = simulator;
        _proxies = new Dictionary<Dependency, WireProxy>
        {
            [Dependency.Billing] = WireProxy.Start(simulator.Billing.Port),
            [Dependency.Paymentwall] = WireProxy.Start(simulator.Paymentwall.Port),
            [Dependency.Token] = WireProxy.Start(simulator.Authority.Port),
            [Dependency.Redis] = WireProxy.Start(redis.Port),
        };
    }

    public static async Task<MatrixLane> StartAsync()
    {
        var redis = await RedisServerProcess.StartAsync();
        try
        {
            return new MatrixLane(redis, await SimulatorProcess.StartAsync("--Simulator:Host=" + WireProxy.Host));
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>The three cells of a fault, in the order warm, cold, stale.</summary>
    public async Task<IReadOnlyList<Observation>> TryAsync(MatrixFault fault)
    {
        try
        {
            return await TryCellsAsync(fault);
        }
        finally
        {
            await DoAsync(fault.Trouble?.End);
        }
    }

    private async Task<IReadOnlyList<Observation>> TryCellsAsync(MatrixFault fault)
    {
        foreach (var proxy in _proxies.Values)
        {
            proxy.Set(WireFault.None);
        }

        await _simulator.ResetAsync();
        await _redis.AskAsync(async (_, server) =>
        {
            await server.FlushAllDatabasesAsync();
            return true;
        });
        if (fault.Dependency == Dependency.Token)
        {
            // What was got before the fault soon cannot be used any more.
            await _simulator.TokenSettingsAsync(new { lifetimeSeconds = 3 });
        }

        if (fault.Spoil is not null)
        {
            await using var other = await StartGatewayAsync(fault);
            await CompleteAsync(other, ColdQuestion);
            await other.PurgeAsync("product=any_other");
        }

        await using var gateway = await StartGatewayAsync(fault);
        var known = await CompleteAsync(gateway, WarmQuestion);
        var observations = new List<Observation>(3);
        await BringAboutAsync(fault);

        // Warm: nothing is asked for.
        var warm = await AskAsync(gateway, WarmQuestion);
        IsFromMemory(warm, known);
        observations.Add(warm);

        // Cold: nothing is known. A token that was got before is no longer usable.
        if (fault.Dependency == Dependency.Token)
        {
            await GatewayProcess.EventuallyAsync(async () => !(bool)(await DetailsAsync(gateway))["token"]!["present"]!, Patience);
        }

        observations.Add(await AskAsync(gateway, ColdQuestion));

        // Stale: the old bytes at once; then, when the refresh is done, what came of it.
        await gateway.PurgeAsync("all=true");
        var before = await CountAsync();
        var atOnce = await AskAsync(gateway, WarmQuestion);
        if (!fault.HidesPurges)
        {
            IsFromMemory(atOnce, known);
        }

        await GatewayProcess.EventuallyAsync(async () => (int)(await DetailsAsync(gateway))["cache"]!["loading"]! == 0, Patience);
        var stale = await AskAsync(gateway, WarmQuestion, before);
        stale.Broken.AddRange(atOnce.Broken.Select(broken => "at once: " + broken));
        if (fault.Effect != Effect.None)
        {
            IsWhatItWas(stale, known);
        }

        observations.Add(stale);
        Assert.Equal(HttpStatusCode.OK, (await gateway.GetAsync("/health/live")).Status);
        stale.PeakMegabytes = PeakMegabytes(gateway);
        return observations;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values)
        {
            await proxy.DisposeAsync();
        }

        await _simulator.DisposeAsync();
        await _redis.DisposeAsync();
    }

    /// <summary>Short time-outs only where one is to pass: on a busy machine the others are not to.</summary>
    private Task<GatewayProcess> StartGatewayAsync(MatrixFault fault) => GatewayProcess.StartAsync(
        _simulator,
        [
            ("Redis:ConnectionString", string.Create(CultureInfo.InvariantCulture, $"{WireProxy.Host}:{_redis.Port}")),
            ("Redis:OperationTimeout", fault.Dependency == Dependency.Redis ? "00:00:00.25" : "00:00:01"),
            ("Catalog:Deadline", Deadline.ToString("c", CultureInfo.InvariantCulture)),
            .. TimeOuts("Billing", fault is { Effect: Effect.Timeout, Dependency: Dependency.Billing or Dependency.Token }),
            .. TimeOuts("Paymentwall", fault is { Effect: Effect.Timeout, Dependency: Dependency.Paymentwall }),

            // Not what is measured here; a start costs less without.
            ("DOTNET_TieredPGO", "0"),
        ]);

    private static (string, string)[] TimeOuts(string section, bool isShort) =>
        [(section + ":Timeout", isShort ? "00:00:01.5" : "00:00:03"), (section + ":AttemptTimeout", isShort ? "00:00:01" : "00:00:02.9")];

    private static async Task<Answer> CompleteAsync(GatewayProcess gateway, string question)
    {
        await gateway.RedisIsUpAsync();
        Answer answer = null!;
        await GatewayProcess.EventuallyAsync(
            async () => (answer = await gateway.GetAsync(question)).Status == HttpStatusCode.OK && (bool)answer.Json["completeness"]!["complete"]!, Patience);
        return answer;
    }

    private static async Task<JsonNode> DetailsAsync(GatewayProcess gateway) =>
        (await gateway.GetAsync("/health/details", ("X-Api-Key", GatewayProcess.AdminKey))).Json;

    private async Task BringAboutAsync(MatrixFault fault)
    {
        if (fault.Spoil is { } spoil)
        {
            await SpoilAsync(spoil);
        }

        await DoAsync(fault.Trouble?.Begin);
        if (fault.SkewSeconds != 0)
        {
            await _simulator.TokenSettingsAsync(new { lifetimeSeconds = 3600, skewSeconds = fault.SkewSeconds });
        }

        if (fault.Answers is { } answers)
        {
            var name = fault.Dependency switch { Dependency.Billing => "billing", Dependency.Paymentwall => "paymentwall", _ => "authorization" };
            if (JsonSerializer.Serialize(answers) is var json && json.Contains(MatrixFault.RealToken, StringComparison.Ordinal))
            {
                answers = JsonNode.Parse(json.Replace(MatrixFault.RealToken, await IssueTokenAsync(), StringComparison.Ordinal))!;
            }

            await _simulator.FaultAsync(name, answers);
        }

        _proxies[fault.Dependency].Set(fault.Wire);
    }

    private async Task DoAsync(string? command)
    {
        if (command?.Split(' ') is [var name, .. var arguments])
        {
            await _redis.AskAsync((database, _) => database.ExecuteAsync(name, arguments));
        }
    }

    /// <summary>Everything that the gateways have put into Redis.</summary>
    private Task<bool> SpoilAsync(Func<IDatabase, RedisKey, Task> spoil) => _redis.AskAsync(async (database, server) =>
    {
        foreach (var key in server.Keys(pattern: "gateway:*").ToList())
        {
            // The log of purges is a list.
            if (await database.KeyTypeAsync(key) == RedisType.String)
            {
                await spoil(database, key);
            }
        }

        return true;
    });

    private async Task<string> IssueTokenAsync()
    {
        await _simulator.TokenSettingsAsync(new { lifetimeSeconds = 3600 });
        using var authority = X509CertificateLoader.LoadCertificateFromFile(_simulator.CertificateFile);
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions =
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        });
        var credentials = $"{WebUtility.UrlEncode(GatewayProcess.ClientId)}:{WebUtility.UrlEncode(GatewayProcess.ClientSecret)}";
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        using var form = new FormUrlEncodedContent(
            [new("grant_type", "client_credentials"), new("audience", "distribution.prestashop.net"), new("scope", "openid")]);
        using var response = await client.PostAsync(new Uri(_simulator.Authority, "oauth2/token"), form, TestContext.Current.CancellationToken);
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["access_token"]!;
    }

    private async Task<(int Token, int Billing, int Paymentwall)> CountAsync() =>
        (await _simulator.TokenRequestsAsync(), await _simulator.TotalAsync("billing"), await _simulator.TotalAsync("paymentwall"));

    private async Task<Observation> AskAsync(GatewayProcess gateway, string question, (int Token, int Billing, int Paymentwall)? since = null)
    {
        var before = since ?? await CountAsync();
        var started = TimeProvider.System.GetTimestamp();
        var answer = await gateway.GetAsync(question);
        var took = TimeProvider.System.GetElapsedTime(started);
        var after = await CountAsync();
        var observation = new Observation(
            answer, took, after.Token - before.Token, after.Billing - before.Billing, after.Paymentwall - before.Paymentwall);
        observation.CheckPromises(question.Contains("country=JP", StringComparison.Ordinal) ? "JP" : "US");
        return observation;
    }

    private static void IsFromMemory(Observation observation, Answer known)
    {
        if (observation.Answer.Header("ETag") != known.Header("ETag"))
        {
            observation.Broken.Add($"not the bytes that were known: {observation.Answer.Body}");
        }

        if (observation.Answer.Header("Cache-Status") is not { } status || !status.StartsWith("gateway; hit", StringComparison.Ordinal))
        {
            observation.Broken.Add($"it waited for somebody: Cache-Status {observation.Answer.Header("Cache-Status")}");
        }
    }

    /// <summary>But for the labels.</summary>
    private static void IsWhatItWas(Observation observation, Answer known)
    {
        if (observation.Answer.Status == HttpStatusCode.OK && Unlabelled(observation.Answer) is var now && now != Unlabelled(known))
        {
            observation.Broken.Add($"not what it was: {now}");
        }
    }

    private static string Unlabelled(Answer answer)
    {
        var items = answer.Items.DeepClone().AsArray();
        foreach (var price in items.SelectMany(item => new[] { item!["price"]!, item["price"]!["trial"]?["then"] }).OfType<JsonNode>())
        {
            price["asOf"] = null;
            price["status"] = (string?)price["status"] == "stale" ? "live" : (string?)price["status"];
        }

        return items.ToJsonString();
    }

    /// <summary>The most memory that the process ever had.</summary>
    private static int PeakMegabytes(GatewayProcess gateway)
    {
        var line = File.ReadLines($"/proc/{gateway.ProcessId}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
