using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Gateway.Observability;

/// <summary>
/// What the gateway measures and traces itself, beside what ASP.NET Core and the runtime do. Names and units as OpenTelemetry has them;
/// every tag is one of a few known values. Nobody listening, a measurement costs a test of a flag. All of them, with what they mean,
/// are in docs/operations.md.
/// </summary>
internal static class Metrics
{
    /// <summary>The name of the meter and of the trace source.</summary>
    public const string Name = "Gateway";

    public static readonly Meter Meter = new(Name);

    public static readonly ActivitySource Traces = new(Name);

    /// <summary>Seconds; from a warm answer's fraction of a millisecond to the longest time-outs.</summary>
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    /// <summary>Tags: <c>upstream</c>, <c>outcome</c>.</summary>
    public static readonly Histogram<double> UpstreamDuration =
        Meter.CreateHistogram("gateway.upstream.duration", "s", "Calls to an upstream with their retries, by what came of them.", tags: null, Seconds);

    /// <summary>Tag: <c>upstream</c>.</summary>
    public static readonly UpDownCounter<long> UpstreamInFlight =
        Meter.CreateUpDownCounter<long>("gateway.upstream.in_flight", "{call}", "Calls to an upstream under way.");

    /// <summary>Tags: <c>cache</c>, <c>result</c>.</summary>
    public static readonly Counter<long> CacheLookups =
        Meter.CreateCounter<long>("gateway.cache.lookups", "{lookup}", "Look-ups by cache and by where the value came from.");

    /// <summary>Tag: <c>result</c>.</summary>
    public static readonly Counter<long> TokenRenewals =
        Meter.CreateCounter<long>("gateway.token.renewals", "{renewal}", "Access tokens obtained, adopted from another replica, refused by an upstream, or not to be had.");

    /// <summary>Tag: <c>kind</c>.</summary>
    public static readonly Histogram<double> LeaseWait =
        Meter.CreateHistogram("gateway.lease.wait.duration", "s", "Waits for what another replica is loading.", tags: null, Seconds);

    /// <summary>Tags: <c>completeness</c>, <c>cache</c>.</summary>
    public static readonly Counter<long> CatalogResponses =
        Meter.CreateCounter<long>("gateway.catalog.answers", "{answer}", "Catalog answers by completeness, and whether they were ready.");

    /// <summary>Tag: <c>field</c>.</summary>
    public static readonly Counter<long> UnreadableFields =
        Meter.CreateCounter<long>("gateway.paymentwall.unreadable_fields", "{field}", "Fields of Paymentwall's answers that could not be read and were left out.");

    /// <summary>Tag: <c>phase</c>.</summary>
    public static readonly Histogram<double> CatalogPhase =
        Meter.CreateHistogram("gateway.catalog.phase.duration", "s", "Where the time of a catalog answer went that was not ready, as in Server-Timing.", tags: null, Seconds);

    /// <summary>Tag: <c>outcome</c>.</summary>
    public static readonly Histogram<double> RedisDuration =
        Meter.CreateHistogram("gateway.redis.duration", "s", "Commands to Redis.", tags: null, Seconds);

    /// <summary>Tag: <c>kind</c>.</summary>
    public static readonly Counter<long> RequestsShed =
        Meter.CreateCounter<long>("gateway.requests.shed", "{request}", "Requests refused because too many wait for upstreams.");

    public static readonly Counter<long> PriceDriftChanges =
        Meter.CreateCounter<long>("gateway.price_drift.changes", "{change}", "How often Billing's and Paymentwall's price of an item began to differ, or differed anew.");

    public static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
