namespace Gateway.DeploymentTests.Soak;

/// <summary>All that a run saw, for its report.</summary>
internal sealed record SoakResult
{
    public required DateTimeOffset StartedAt { get; init; }

    public required TimeSpan Duration { get; init; }

    public required int Seed { get; init; }

    public required IReadOnlyList<Violation> Violations { get; init; }

    /// <summary>Seconds since the start, milliseconds, kind and status; 0: no answer.</summary>
    public required IReadOnlyList<(double Seconds, double Milliseconds, string Kind, int Status, bool IsCatalog)> Answers { get; init; }

    public required IReadOnlyList<Trouble> Troubles { get; init; }

    public required IReadOnlyList<ProcessSample> Samples { get; init; }

    public required IReadOnlyDictionary<string, int> UpstreamCalls { get; init; }

    /// <summary>By status, of what the catalog answered 200 and 304 with.</summary>
    public required IReadOnlyDictionary<string, int> PricesShown { get; init; }

    public required int PriceChanges { get; init; }

    public required int Tokens { get; init; }

    public required int TokensJudged { get; init; }

    public required int LostToKills { get; init; }

    /// <summary>What ran out of time while the machine stood still, without any fault.</summary>
    public required int LostToTheMachine { get; init; }

    public required long LogCharacters { get; init; }

    /// <summary>Answers made of warm parts alone while an upstream that they are of was in trouble.</summary>
    public required int WarmInTrouble { get; init; }

    /// <summary>Share of the time in which something waited for a processor.</summary>
    public required double Crowding { get; init; }

    public required (int Count, TimeSpan Total, TimeSpan Longest) Pauses { get; init; }

    /// <summary>Of the gateway that was never restarted, by what is measured.</summary>
    public required IReadOnlyDictionary<string, Flatness> Flatness { get; init; }

    /// <summary>Of each process, what it had to say of itself: warnings, Redis, purges.</summary>
    public required IEnumerable<string> Log { get; init; }
}
