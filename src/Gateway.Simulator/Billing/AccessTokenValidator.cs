using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Simulator.Billing;

/// <summary>Judges a caller's bearer token: signature, issuer, audience, time, revocation.</summary>
internal sealed class AccessTokenValidator
{
    private readonly SimulatorState _state;
    private readonly JsonWebTokenHandler _handler = new();
    private readonly Lock _gate = new();

    // A foreign provider's tokens carry no generation of ours: "issued so far" are those seen here. True: revoked.
    private readonly ConcurrentDictionary<string, bool> _foreignTokens = new(StringComparer.Ordinal);
    private (DateTime WrittenAt, IList<SecurityKey> Keys) _foreignKeys = (DateTime.MinValue, []);

    public AccessTokenValidator(SimulatorState state) => _state = state;

    /// <summary>Null when the token is good, else what is wrong with it.</summary>
    public async Task<string?> ErrorAsync(string? authorization)
    {
        if (authorization?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) is not true)
        {
            return "Access token is missing";
        }

        var token = authorization["Bearer ".Length..].Trim();
        var result = await _handler.ValidateTokenAsync(token, Parameters());
        if (!result.IsValid)
        {
            return result.Exception switch
            {
                SecurityTokenExpiredException => "Access token has expired",
                SecurityTokenInvalidAudienceException => "Access token has the wrong audience",
                SecurityTokenInvalidIssuerException => "Access token has the wrong issuer",
                _ => "Access token is invalid",
            };
        }

        var jwt = (JsonWebToken)result.SecurityToken;
        var revoked = jwt.Issuer == _state.Tokens.Issuer ? _state.Tokens.IsRevoked(jwt.Id) : IsForeignRevoked(token);
        return revoked ? "Access token has been revoked" : null;
    }

    /// <summary>Revokes what the foreign provider has issued, as far as seen here; <see cref="Reset"/> forgets that.</summary>
    public void RevokeForeign()
    {
        foreach (var hash in _foreignTokens.Keys)
        {
            _foreignTokens[hash] = true;
        }
    }

    public void Reset() => _foreignTokens.Clear();

    private TokenValidationParameters Parameters() => new()
    {
        ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
        ValidIssuers = _state.Options.ExternalIssuer is { Length: > 0 } foreign
            ? [_state.Tokens.Issuer, foreign]
            : [_state.Tokens.Issuer],
        ValidAudience = SimulatorOptions.Words(_state.Options.Audience)[0],
        RequireExpirationTime = true,
        RequireSignedTokens = true,
        ClockSkew = TimeSpan.Zero,
        LifetimeValidator = IsWithinLifetime,

        // By issuer, not all keys for all: one issuer's key must not vouch for the other's name.
        IssuerSigningKeyResolver = (_, token, _, _) => token.Issuer == _state.Tokens.Issuer ? [_state.Tokens.Key] : ForeignKeys(),
    };

    private bool IsWithinLifetime(
        DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = _state.TimeProvider.GetUtcNow().UtcDateTime;
        return expires > now ? notBefore is null || notBefore <= now : throw new SecurityTokenExpiredException();
    }

    private bool IsForeignRevoked(string token) =>
        _foreignTokens.GetOrAdd(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token))), value: false);

    private IList<SecurityKey> ForeignKeys()
    {
        if (_state.Options.ExternalJwksFile is not { Length: > 0 } file || !File.Exists(file))
        {
            return [];
        }

        lock (_gate)
        {
            var writtenAt = File.GetLastWriteTimeUtc(file);
            if (writtenAt != _foreignKeys.WrittenAt)
            {
                try
                {
                    _foreignKeys = (writtenAt, new JsonWebKeySet(File.ReadAllText(file)).GetSigningKeys());
                }
                catch (Exception exception) when (exception is IOException or ArgumentException or System.Text.Json.JsonException)
                {
                    // Half written: the tokens are refused, and the file is read again with the next.
                    return [];
                }
            }

            return _foreignKeys.Keys;
        }
    }
}
