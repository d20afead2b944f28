using System.Globalization;
using System.Text;
using Gateway.FunctionalTests.Stack;
using StackExchange.Redis;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>One thing that goes wrong with one dependency, and how it is brought about.</summary>
/// <param name="Dependency">What it happens to.</param>
/// <param name="Name">As the table calls it.</param>
/// <param name="Effect">What the contract takes it for.</param>
/// <param name="Wire">Brought about between the gateway and the dependency.</param>
/// <param name="Answers">Brought about by the simulator: its fault, or several.</param>
/// <param name="Spoil">Brought about in Redis, for each of our values.</param>
/// <param name="Trouble">Brought about in Redis by these commands, and ended by those.</param>
/// <param name="SkewSeconds">Brought about by the token server's clock.</param>
/// <param name="HidesPurges">The log of purges cannot be read: a purge takes everything, for good.</param>
internal sealed record MatrixFault(
    Dependency Dependency,
    string Name,
    Effect Effect,
    WireFault Wire = WireFault.None,
    object? Answers = null,
    Func<IDatabase, RedisKey, Task>? Spoil = null,
    (string Begin, string End)? Trouble = null,
    int SkewSeconds = 0,
    bool HidesPurges = false)
{
    /// <summary>In the bodies that upstreams send here; never in ours.</summary>
    public const string Marker = "text-of-an-upstream";

    /// <summary>Where the token of a body is to be a real one.</summary>
    public const string RealToken = "REAL-TOKEN";

    private const int FiftyMegabytes = 50_000_000;

    /// <summary>Version, epoch and three times stand before the value.</summary>
    private const int HeaderBytes = 33;

    private static readonly string Deep = new string('[', 10_000) + new string(']', 10_000);

    /// <summary>One of the components that the real Billing would send, with whatever else.</summary>
    private static string Component(string more) => $$"""
        {"id":"builtfor_example-pro-EUR-yearly","productId":"builtfor_example","componentGroupId":"builtfor_example-pro",
         "componentType":"plan","status":"active","pricingModel":"flat_fee","price":10800,"billingPeriodUnit":"year"{{more}}}
        """;

    public static IReadOnlyList<MatrixFault> All { get; } =
    [
        .. Enum.GetValues<Dependency>().Where(dependency => dependency != Dependency.Redis).SelectMany(OfHttp),
        .. OfRedis(),
    ];

    /// <summary>The requests reach the upstream that it happens to.</summary>
    public bool Arrives => Wire is not (WireFault.Refused or WireFault.BlackHole);

    private static IEnumerable<MatrixFault> OfHttp(Dependency of) =>
    [
        new(of, "refused", Effect.Unreachable, WireFault.Refused),
        new(of, "black hole", Effect.Timeout, WireFault.BlackHole),
        new(of, "slow drip (20 B/s)", Effect.Timeout, WireFault.SlowDrip),
        new(of, "429 with Retry-After: 30", Effect.Throttled, Answers: new { status = 429, retryAfter = "30", body = Marker }),
        new(of, "500", Effect.Failing, Answers: new { status = 500, body = Marker }),
        new(of, "503", Effect.Failing, Answers: new { status = 503, body = Marker }),
        new(of, "401 burst", of == Dependency.Billing ? Effect.RefusedToken : Effect.Rejected, Answers: new { status = 401, body = Marker }),
        new(of, "truncated JSON", Effect.BadPayload, Answers: new
        {
            body = of switch
            {
                Dependency.Billing => """{"items":[""" + Component(string.Empty),
                Dependency.Paymentwall => """{"object":"product","amount":"9.99","currency":"USD",""",
                _ => $$"""{"access_token":"{{Marker}}","token_type":"bearer","expires_in":3600""",
            },
        }),
        new(of, "HTML with 200", Effect.BadPayload, Answers: new { body = $"<html><body>{Marker}</body></html>", contentType = "text/html" }),
        new(of, "JSON called text/html", Effect.None, Answers: new { contentType = "text/html" }),
        new(of, "50 MB body", Effect.BadPayload, Answers: new { padBytes = FiftyMegabytes }),
        new(of, "invalid UTF-8", Effect.BadPayload, Answers: new
        {
            bodyBase64 = Convert.ToBase64String(Encoding.Latin1.GetBytes(of switch
            {
                Dependency.Billing => """{"items":[{"id":"ÿþ","productId":"builtfor_example"}]}""",
                Dependency.Paymentwall => """{"object":"product","amount":"9.99","currency":"USÿ"}""",
                _ => """{"access_token":"ÿþÿþ","token_type":"bearer","expires_in":3600}""",
            })),
        }),
        new(of, "duplicated members, the last is right", of == Dependency.Token ? Effect.None : Effect.BadPayload, Answers: of switch
        {
            Dependency.Billing => new { body = $$"""{"items":[],"total":0,"items":[{{string.Join(',', Duplicated())}}]}""" },
            Dependency.Paymentwall => new[] { Price("JP", "JPY", "1500"), Price("US", "USD", "9.99") },
            _ => new { body = $$"""{"access_token":"x","token_type":"bearer","expires_in":1,"access_token":"{{RealToken}}","expires_in":3600}""" },
        }),
        new(of, "deeply nested JSON", Effect.BadPayload, Answers: new
        {
            body = of switch
            {
                Dependency.Billing => $$"""{"items":[{{Component(",\"extra\":" + Deep)}}]}""",
                Dependency.Paymentwall => $$"""{"object":"product","amount":"9.99","currency":"USD","extra":{{Deep}}}""",
                _ => $$"""{"access_token":"{{RealToken}}","token_type":"bearer","expires_in":3600,"extra":{{Deep}}}""",
            },
        }),
        .. of == Dependency.Token
            ? (MatrixFault[])
            [
                new(of, "a token with a line break", Effect.BadPayload, Answers: new { body = """{"access_token":"x\r\nX-Other: y","token_type":"bearer","expires_in":3600}""" }),
                new(of, "clock 10 minutes ahead", Effect.RefusedToken, SkewSeconds: 600),
                new(of, "clock 10 minutes behind", Effect.None, SkewSeconds: -600),
            ]
            : [new(of, "clock 10 minutes ahead", Effect.None, Answers: Dated(10)), new(of, "clock 10 minutes behind", Effect.None, Answers: Dated(-10))],
        new(of, "reset in mid-body", Effect.Unreachable, Answers: new { truncate = true }),
    ];

    private static IEnumerable<MatrixFault> OfRedis()
    {
        WireFault[] wire =
        [
            WireFault.Refused, WireFault.BlackHole, WireFault.SlowDrip, WireFault.Reset, WireFault.Truncated, WireFault.Garbage,
            WireFault.RedisErrors, WireFault.RedisWrongType, WireFault.Late, WireFault.RedisLoading, WireFault.RedisBusy, WireFault.RedisMisconf,
            WireFault.RedisNoAuth, WireFault.RedisClusterDown,
        ];
        string[] names =
        [
            "refused", "black hole", "slow drip (20 B/s)", "reset in mid-reply", "truncated reply, then the end", "HTTP instead of RESP",
            "an error for every command", "+OK for every command", "300 ms late", "LOADING for every command", "BUSY for every command",
            "MISCONF for every command", "NOAUTH for every command", "CLUSTERDOWN for every command",
        ];
        return
        [
            .. wire.Zip(names, (fault, name) => new MatrixFault(Dependency.Redis, name, Effect.None, fault)),
            new(Dependency.Redis, "full, evicts nothing (OOM)", Effect.None, Trouble: ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0")),
            new(Dependency.Redis, "an ACL without writes (NOPERM)", Effect.None, Trouble: ("ACL SETUSER default -@write", "ACL SETUSER default +@write")),
            InRedis("rubbish in our keys", static value => [.. value.AsSpan(0, Math.Min(value.Length, HeaderBytes)), .. "{\"items\":["u8]),
            InRedis("a fraction in our keys", static _ => "1.5"u8.ToArray()) with { HidesPurges = true },
            InRedis("deeply nested JSON in our keys", static value => [.. value.AsSpan(0, Math.Min(value.Length, HeaderBytes)), .. Encoding.UTF8.GetBytes(Deep)]),
            InRedis("invalid UTF-8 in our keys", static value => Encoding.Latin1.GetBytes(
                Encoding.Latin1.GetString(value).Replace(":\"", ":\"ÿ", StringComparison.Ordinal))),

            // Made where they lie: arrays of such sizes in this process would hold up the other lanes, whose proxies are here too.
            InRedis("50 MB in our keys", static (database, key) => database.StringSetRangeAsync(key, FiftyMegabytes - 1, "x")),
            InRedis("lists in our keys", static async (database, key) =>
            {
                await database.KeyDeleteAsync(key);
                await database.ListLeftPushAsync(key, "x");
            }),
        ];
    }

    private static MatrixFault InRedis(string name, Func<byte[], byte[]> rubbish) => InRedis(
        name, async (database, key) => await database.StringSetAsync(key, rubbish((byte[])(await database.StringGetAsync(key))!)));

    private static MatrixFault InRedis(string name, Func<IDatabase, RedisKey, Task> spoil) => new(Dependency.Redis, name, Effect.None, Spoil: spoil);

    private static IEnumerable<string> Duplicated() => new[] { "starter", "pro", "advanced" }.Select(group =>
        $$"""
        {"id":"other","status":"archived","id":"builtfor_example-{{group}}-EUR-yearly","productId":"builtfor_example",
         "componentType":"plan","status":"active","billingPeriodUnit":"week","billingPeriodUnit":"year","extra":1,"extra":2}
        """);

    private static object Price(string country, string currency, string amount) => new
    {
        match = "country_code=" + country,
        body = $$"""{"object":"product","amount":"0.01","amount":"{{amount}}","currency":"EUR","currency":"{{currency}}","extra":1,"extra":2}""",
    };

    private static object Dated(int minutes) => new
    {
        headers = new Dictionary<string, string>
        {
            ["Date"] = (TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(minutes)).ToString("R", CultureInfo.InvariantCulture),
            ["Expires"] = (TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(10)).ToString("R", CultureInfo.InvariantCulture),
        },
    };
}
