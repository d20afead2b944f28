using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Simulator.AuthorizationServer;

/// <summary>Signs access tokens, and knows which of them have been revoked.</summary>
internal sealed class TokenIssuer
{
    private readonly TimeProvider _timeProvider;
    private readonly TokenSettings _initial;
    private readonly RsaSecurityKey _key;
    private readonly SigningCredentials _credentials;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private volatile TokenSettings _settings;

    // Each revocation begins a generation; a jti names its own, so that revoking needs no list of tokens.
    private long _generation;
    private long _oldestValid;

    public TokenIssuer(SimulatorOptions options, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _initial = new TokenSettings((long)options.TokenLifetime.TotalSeconds);
        _settings = _initial;

        // The parameters, not the RSA object: that one is not promised to be safe for concurrent use.
        using var rsa = RSA.Create(2048);
        _key = new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: true))
        {
            KeyId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
        };
        _credentials = new SigningCredentials(_key, SecurityAlgorithms.RsaSha256);
    }

    /// <summary>Also the authority's address; known once the listener has its port.</summary>
    public string Issuer { get; set; } = "";

    public SecurityKey Key => _key;

    public TokenSettings Settings => _settings;

    /// <summary>The public key as a JSON Web Key Set.</summary>
    public object KeySet => new
    {
        keys = new[]
        {
            new
            {
                kty = "RSA", use = "sig", alg = SecurityAlgorithms.RsaSha256, kid = _key.KeyId,
                n = Base64UrlEncoder.Encode(_key.Parameters.Modulus), e = Base64UrlEncoder.Encode(_key.Parameters.Exponent),
            },
        },
    };

    public string Issue(string subject, string[] audiences, string[] scopes, long lifetimeSeconds)
    {
        var now = _timeProvider.GetUtcNow().ToUnixTimeSeconds() + _settings.SkewSeconds;
        var generation = Interlocked.Read(ref _generation).ToString(CultureInfo.InvariantCulture);
        var payload = JsonSerializer.Serialize(new
        {
            iss = Issuer,
            sub = subject,
            client_id = subject,
            aud = audiences,
            scp = scopes,
            iat = now,
            nbf = now,
            exp = now + lifetimeSeconds,
            jti = $"{generation}.{Guid.NewGuid():N}",
        });
        return _handler.CreateToken(payload, _credentials);
    }

    public void RevokeAll() => Interlocked.Exchange(ref _oldestValid, Interlocked.Increment(ref _generation));

    public bool IsRevoked(string tokenId) =>
        !long.TryParse(tokenId.Split('.')[0], CultureInfo.InvariantCulture, out var generation)
        || generation < Interlocked.Read(ref _oldestValid);

    /// <summary>What is null gets its value of the start.</summary>
    public void Configure(long? lifetimeSeconds, bool? omitExpiresIn, bool? omitTokenType, long? skewSeconds, JsonObject? patch) =>
        _settings = new TokenSettings(
            lifetimeSeconds ?? _initial.LifetimeSeconds, omitExpiresIn ?? false, omitTokenType ?? false, skewSeconds ?? 0, patch);

    public void Reset()
    {
        _settings = _initial;
        Interlocked.Exchange(ref _oldestValid, 0);
    }
}
