namespace Gateway.DeploymentTests.Soak;

/// <summary>What the gateways under test are configured with, and what follows from it.</summary>
internal static class SoakBounds
{
    /// <summary><c>Catalog:FreshFor</c>, short so that prices are refreshed often. All else is the product's default.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    /// <summary><c>Catalog:NotFoundFor</c>: fresh for as long; then asked for again, and after as long again waited for.</summary>
    public static readonly TimeSpan NotFoundFor = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan TokenLife = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The longest that a refresh of a price may take: waiting for a slot (4 s: <c>Paymentwall:Timeout</c> and a second), for the
    /// replica that has the lease (5 s: a second more), then loading itself (4 s).
    /// </summary>
    public static readonly TimeSpan Refresh = TimeSpan.FromSeconds(13);

    /// <summary><c>Catalog:Deadline</c>.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <summary>The proxied routes' <c>Timeout</c>.</summary>
    public static readonly TimeSpan ProxyTimeout = TimeSpan.FromSeconds(60);

    /// <summary>For a machine that is busy with other things; what this process itself was seen to stand still comes on top.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    /// <summary>On top of that where the machine had no processor to spare: for a process that has just begun, and for a refresh.</summary>
    public static readonly TimeSpan Starved = TimeSpan.FromSeconds(10);
}
