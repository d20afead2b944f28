using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>Section <c>Hosting</c>: how a replica leaves, and what surrounds it. Read at the start, but for <see cref="WarmRequestLogSampling"/>.</summary>
internal sealed class HostingOptions
{
    public const string Section = "Hosting";

    /// <summary>Of <see cref="PathBase"/>: it is put into redirects.</summary>
    public const string PathBasePattern = "(/[A-Za-z0-9._~-]+)*";

    /// <summary>The default of <see cref="DrainDelay"/> in production.</summary>
    private static readonly TimeSpan ProductionDelay = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For how long a replica that was told to stop says that it is not ready, and goes on serving: until every load balancer has
    /// noticed. Default 5 s in the environment <c>Production</c>, 0 elsewhere; range 0 to 5 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan? DrainDelay { get; set; }

    /// <summary>For how long after that requests under way may finish; what has not is cut off. Default 20 s, range 1 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// For how long a new replica may take to get its token and the configured products, and to answer itself, before it says that it is ready.
    /// Default 5 s; range 0 (no warm-up) to 1 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan WarmUpTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The port of <c>/health/…</c> and <c>/admin/…</c>, by plain http on all addresses, where nothing else is answered; on the others those
    /// are not answered then. Default 0: all on one. Range 0 to 65535. Read once, at the start.
    /// </summary>
    [Range(0, ushort.MaxValue)]
    public int ManagementPort { get; set; }

    /// <summary>
    /// The path below which the gateway is published where its prefix arrives unstripped, such as <c>/shop-api</c>; what arrives without it is
    /// answered too. Default empty. A prefix that a known proxy has stripped is taken from its <c>X-Forwarded-Prefix</c>.
    /// </summary>
    [RegularExpression(PathBasePattern, ErrorMessage = "must begin with a slash and not end with one, such as /shop-api.")]
    public string PathBase { get; set; } = string.Empty;

    /// <summary>
    /// Which share of catalog answers that were ready (200 and 304) is logged. Default 0.01, range 0 (none) to 1 (all). Follows the
    /// configuration while the gateway runs.
    /// </summary>
    [Range(0d, 1d)]
    public double WarmRequestLogSampling { get; set; } = 0.01;

    /// <summary>
    /// Upstreams get <c>traceparent</c> and <c>tracestate</c>. Default false: they are third parties, and what a client sent in its
    /// <c>tracestate</c> is not theirs.
    /// </summary>
    public bool PropagateTraceContext { get; set; }

    /// <summary>Folder of secret files, one for each key, named as in the environment (<see cref="SecretFiles"/>). Default <c>/run/secrets</c>.</summary>
    public string SecretsFolder { get; set; } = "/run/secrets";

    public TimeSpan DelayIn(IHostEnvironment environment) => DrainDelay ?? (environment.IsProduction() ? ProductionDelay : TimeSpan.Zero);
}
