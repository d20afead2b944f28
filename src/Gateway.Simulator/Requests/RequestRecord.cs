namespace Gateway.Simulator.Requests;

/// <summary>One request as it was received, logged from its arrival on; the status is null until an answer begins.</summary>
internal sealed class RequestRecord
{
    private int _statusCode;
    private volatile bool _aborted;
    private int _ended;

    public required string Method { get; init; }

    /// <summary>Still percent-encoded.</summary>
    public required string Path { get; init; }

    /// <summary>Still percent-encoded, without the question mark; empty when there is none.</summary>
    public required string RawQuery { get; init; }

    public required IReadOnlyDictionary<string, string[]> Headers { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public int? StatusCode
    {
        get => Volatile.Read(ref _statusCode) is var status and not 0 ? status : null;
        set => Volatile.Write(ref _statusCode, value ?? 0);
    }

    /// <summary>The connection was cut, by a fault or because the client left before the answer began.</summary>
    public bool Aborted
    {
        get => _aborted;
        set => _aborted = value;
    }

    /// <summary>A fault was applied to it.</summary>
    public bool Faulted { get; set; }

    /// <summary>Paymentwall: no country_code was sent, so this one, of the caller's IP address, was taken.</summary>
    public string? CountryFromIp { get; set; }

    /// <summary>True the first time only.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _ended, 1) == 0;
}
