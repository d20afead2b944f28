namespace Gateway.Hosting.Draining;

/// <summary>Section <c>Hosting</c>: how a replica leaves, and what surrounds it.</summary>
internal sealed class HostingOptions
{
    public const string Section = "Hosting";

    /// <summary>The default of <see cref="DrainDelay"/> in production.</summary>
    private static readonly TimeSpan ProductionDelay = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For how long a replica that was told to stop says that it is not ready, and goes on serving: until every load balancer has
    /// noticed. Default 5 s in the environment <c>Production</c>, 0 elsewhere; range 0 to 5 min.
    /// </summary>
    public TimeSpan? DrainDelay { get; set; }

    /// <summary>For how long after that requests under way may finish; what has not is cut off. Default 20 s, range 1 s to 10 min.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    public TimeSpan DelayIn(IHostEnvironment environment) => DrainDelay ?? (environment.IsProduction() ? ProductionDelay : TimeSpan.Zero);
}
