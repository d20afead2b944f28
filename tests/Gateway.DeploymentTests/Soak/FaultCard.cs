namespace Gateway.DeploymentTests.Soak;

/// <summary>A fault of an upstream, and what it excuses: nothing else may come of it.</summary>
/// <param name="Upstream">The simulator's name of it.</param>
/// <param name="What">In words.</param>
/// <param name="Fault">For the simulator's control API.</param>
/// <param name="Excuses">See <see cref="AnswerChecker"/>.</param>
internal sealed record FaultCard(string Upstream, string What, object Fault, params IReadOnlyList<string> Excuses)
{
    /// <summary>A circuit that opened at the end is closed again after 5 s, if the first call that it lets through is answered.</summary>
    private static readonly TimeSpan CircuitAftermath = TimeSpan.FromSeconds(12);

    /// <summary>Failed token requests back off for up to 30 s.</summary>
    private static readonly TimeSpan TokenAftermath = TimeSpan.FromSeconds(45);

    private static readonly string[] NoToken = ["billing:tokenUnavailable", "billing:upstreamTimedOut", "billing-proxy:tokenUnavailable", "billing-proxy:upstreamTimedOut"];

    public TimeSpan Aftermath => Upstream == "authorization" ? TokenAftermath : CircuitAftermath;

    public static FaultCard[] All { get; } =
    [
        Paymentwall("slow", new { latencyMs = 100, jitterMs = 500 }),
        Paymentwall("much too slow", new { latencyMs = 4000, jitterMs = 3000 }, "timeout", "proxy:upstreamTimedOut"),
        Paymentwall("500", new { status = 500 }, "rejected", "proxy:500"),
        Paymentwall("503, every third", Every(3, new { status = 503 }), "rejected", "proxy:503"),
        Paymentwall("429 with Retry-After", new { status = 429, retryAfter = "1" }, "throttled", "timeout", "proxy:429"),
        Paymentwall("drops", new { drop = true }, "unreachable", "proxy:upstreamUnreachable"),
        Paymentwall("hangs", new { hang = true }, "timeout", "proxy:upstreamTimedOut"),
        Paymentwall("hangs in Japan alone", new { hang = true, match = "country_code=JP" }, "timeout", "proxy:upstreamTimedOut"),
        Paymentwall("truncated", new { truncate = true }, "unreachable", "proxy:cut", "proxy:upstreamUnreachable"),
        Paymentwall("a page instead of JSON", new { body = "<html>Maintenance</html>", contentType = "text/html" }, "badPayload", "proxy:body"),
        Billing("slow", new { latencyMs = 100, jitterMs = 500 }),
        Billing("much too slow", new { latencyMs = 4000, jitterMs = 3000 }, "upstreamTimedOut", "proxy:upstreamTimedOut"),
        Billing("500", new { status = 500 }, "upstreamRejected", "proxy:500"),
        Billing("429 with Retry-After", new { status = 429, retryAfter = "1" }, "upstreamRejected", "upstreamTimedOut", "proxy:429"),
        Billing("drops", new { drop = true }, "upstreamUnreachable", "proxy:upstreamUnreachable"),
        Billing("hangs", new { hang = true }, "upstreamTimedOut", "proxy:upstreamTimedOut"),
        Billing("truncated", new { truncate = true }, "upstreamUnreachable", "proxy:cut", "proxy:upstreamUnreachable"),
        Billing("a page instead of JSON", new { body = "<html>Maintenance</html>", contentType = "text/html" }, "upstreamBadPayload", "proxy:200"),
        Billing("401 burst", new { status = 401 }, "upstreamRejected", "tokenUnavailable", "upstreamTimedOut", "proxy:upstreamRejected", "proxy:tokenUnavailable"),
        new("authorization", "500", new { status = 500, match = "/oauth2/token" }, NoToken),
        new("authorization", "hangs", new { hang = true, match = "/oauth2/token" }, NoToken),
        new("authorization", "drops", new { drop = true }, NoToken),
        new("authorization", "slow", new { latencyMs = 500, jitterMs = 1000 }, NoToken),
    ];

    private static FaultCard Paymentwall(string what, object fault, params string[] excuses) =>
        new("paymentwall", what, fault, Named("paymentwall", excuses, ["circuitOpen", "pricesUnavailable"]));

    private static FaultCard Billing(string what, object fault, params string[] excuses) =>
        new("billing", what, fault, Named("billing", excuses, ["circuitOpen"]));

    /// <summary>What excuses nothing does not open a circuit either.</summary>
    private static string[] Named(string upstream, string[] excuses, string[] consequences) => excuses.Length == 0 ? [] :
    [
        .. excuses.Concat(consequences).Select(excuse =>
            excuse.StartsWith("proxy:", StringComparison.Ordinal) ? $"{upstream}-{excuse}" : $"{upstream}:{excuse}"),
    ];

    /// <summary>Each of many lets some through, then takes one.</summary>
    private static object[] Every(int nth, object fault)
    {
        var one = System.Text.Json.JsonSerializer.SerializeToNode(fault)!.AsObject();
        one["skip"] = nth - 1;
        one["times"] = 1;
        return [.. Enumerable.Range(0, 400).Select(_ => (object)one.DeepClone())];
    }
}
