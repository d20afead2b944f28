namespace Gateway.DeploymentTests.Soak;

/// <summary>What came of a request.</summary>
/// <param name="Request">The request.</param>
/// <param name="SentAt">Before its first byte left.</param>
/// <param name="ReceivedAt">After its answer's last byte came.</param>
/// <param name="Status">0: no answer.</param>
/// <param name="Headers">Of the answer and its body, by lower-case name.</param>
/// <param name="Body">As it came, in its content coding.</param>
internal sealed record Observation(
    SoakRequest Request, DateTimeOffset SentAt, DateTimeOffset ReceivedAt, int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The process that answered; null: haproxy itself, or one that may have been either side of a restart.</summary>
    public string? Instance { get; init; }

    /// <summary>One of the gateways answered, and not haproxy by itself.</summary>
    public bool IsGateways { get; init; } = true;

    /// <summary>Why there is no answer.</summary>
    public string? Error { get; init; }

    /// <summary>What the customer has of an earlier answer with the tag that it sent.</summary>
    public CatalogContent? Known { get; init; }

    /// <summary>For how long at a stretch this process itself stood still meanwhile: the machine's doing, not the gateway's.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>The same, with some time before.</summary>
    public TimeSpan PauseBefore { get; init; }

    /// <summary>Something on the machine waited for a processor more than 90 % of the last 15 s.</summary>
    public bool IsStarved { get; init; }

    /// <summary>The process that answered was less than half a minute old: it still has to compile what it runs.</summary>
    public bool IsYoung { get; init; }

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
