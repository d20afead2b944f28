namespace Gateway.AccessTokens;

/// <summary>The process boundary to the authorization server.</summary>
internal interface ITokenEndpoint
{
    /// <summary>Asks for a new token. Null, and a log line, if none was given; never throws but for cancellation.</summary>
    Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken);
}
