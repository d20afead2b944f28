namespace Gateway.AccessTokens;

/// <summary>The process boundary to the authorization server.</summary>
internal interface ITokenEndpoint
{
    /// <summary>Asks for a new token. Null, and a log line, if none was given; never throws but for cancellation.</summary>
    Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken);

    /// <summary>Why the last request gave none, such as <c>nameNotResolved</c> or <c>invalid_client</c>; null if it is not known.</summary>
    string? LastFailure => null;
}

/// <summary>A bearer token and its life. A class without a text form, so that it cannot end up in a log by accident.</summary>
/// <param name="value">The token.</param>
/// <param name="obtainedAt">When the token endpoint gave it, by the monotonic clock, as every time here.</param>
/// <param name="expiresAt">When it expires.</param>
/// <param name="followsRejection">It was obtained because an upstream refused the one before.</param>
internal sealed class AccessToken(string value, TimeSpan obtainedAt, TimeSpan expiresAt, bool followsRejection)
{
    /// <summary>Share of its life after which a token is renewed.</summary>
    internal const double RenewalAge = 0.8;

    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(30);

    public string Value => value;

    /// <summary>As the header <c>Authorization</c> carries it.</summary>
    public string Header { get; } = "Bearer " + value;

    public TimeSpan ObtainedAt => obtainedAt;

    public TimeSpan ExpiresAt => expiresAt;

    public bool FollowsRejection => followsRejection;

    /// <summary>A little before it expires (a tenth of its life, at most 30 s), for the time that a call is on its way.</summary>
    public TimeSpan UsableUntil { get; } = expiresAt - Shorter((expiresAt - obtainedAt) / 10, LongestMargin);

    /// <summary>From here on (80 % of its life) it is renewed in the background, while it goes on being used.</summary>
    public TimeSpan RenewFrom => obtainedAt + ((expiresAt - obtainedAt) * RenewalAge);

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}

/// <summary>A token as the endpoint issued it.</summary>
/// <param name="value">The token.</param>
/// <param name="life">How long from now.</param>
internal sealed class IssuedToken(string value, TimeSpan life)
{
    public string Value => value;

    public TimeSpan Life => life;
}
