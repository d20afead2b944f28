namespace Gateway.AccessTokens;

/// <summary>A token as the endpoint issued it.</summary>
/// <param name="value">The token.</param>
/// <param name="life">How long from now.</param>
internal sealed class IssuedToken(string value, TimeSpan life)
{
    public string Value => value;

    public TimeSpan Life => life;
}
