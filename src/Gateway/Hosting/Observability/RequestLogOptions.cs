namespace Gateway.Hosting.Observability;

/// <summary>What the log of requests leaves out. A key of the section <c>Hosting</c>; follows the configuration while the gateway runs.</summary>
internal sealed class RequestLogOptions
{
    public const string Section = "Hosting";

    /// <summary>Which share of catalog answers that were ready (200 and 304) is logged. Default 0.01, range 0 (none) to 1 (all).</summary>
    public double WarmRequestLogSampling { get; set; } = 0.01;
}
