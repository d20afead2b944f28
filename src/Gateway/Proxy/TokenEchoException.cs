namespace Gateway.Proxy;

/// <summary>An upstream's answer held the access token that was attached to its request. Says nothing of the token.</summary>
internal sealed class TokenEchoException() : IOException("The answer must not pass.");
