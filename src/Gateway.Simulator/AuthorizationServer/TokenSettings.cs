using System.Text.Json.Nodes;

namespace Gateway.Simulator.AuthorizationServer;

/// <summary>What tests change about token answers while the simulator runs.</summary>
/// <param name="LifetimeSeconds">Life of tokens issued from now on.</param>
/// <param name="OmitExpiresIn">The answer lacks <c>expires_in</c>, which RFC 6749 only recommends.</param>
/// <param name="OmitTokenType">The answer lacks <c>token_type</c>, which RFC 6749 requires.</param>
/// <param name="SkewSeconds">How far the issuer's clock, which is in the tokens, is ahead of everybody else's; negative: behind.</param>
/// <param name="Patch">JSON merge patch (RFC 7396) of the answer with a token: other spellings, more members, none.</param>
internal sealed record TokenSettings(
    long LifetimeSeconds, bool OmitExpiresIn = false, bool OmitTokenType = false, long SkewSeconds = 0, JsonObject? Patch = null);
