using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Caching;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.AccessTokens;

/// <summary>The token that all replicas share, encrypted in Redis. Everything here is "if Redis can be had"; nothing throws.</summary>
internal sealed partial class AccessTokenStore
{
    private readonly RedisConnection _redis;
    private readonly RedisLease _lease;
    private readonly TimeProvider _time;
    private readonly TokenCipher _cipher;
    private readonly string _identity;
    private readonly string _key;

    public AccessTokenStore(
        RedisConnection redis, RedisLease lease, IOptions<AccessTokensOptions> options, IOptions<RedisOptions> redisOptions, TimeProvider time)
    {
        _redis = redis;
        _lease = lease;
        _time = time;
        _cipher = new TokenCipher(options.Value);
        _identity = "token:" + Identity(options.Value, _cipher.KeyId);
        _key = $"{redisOptions.Value.KeyPrefix}:{_identity}";
    }

    public async Task<AccessToken?> GetAsync() => (await ReadAsync()).Token;

    /// <summary>Kept for as long as the token is usable, so that Redis forgets it before it expires.</summary>
    public async Task SetAsync(AccessToken token)
    {
        var life = token.UsableUntil - _time.GetUtcNow();
        if (life < TimeSpan.FromMilliseconds(1))
        {
            return;
        }

        var entry = new Entry(token.Value, token.ObtainedAt, token.ExpiresAt, token.FollowsRejection);
        var wire = _cipher.Seal(JsonSerializer.SerializeToUtf8Bytes(entry, TokenStoreContext.Default.Entry), _key);
        await _redis.TryAsync(database => database.StringSetAsync(_key, wire, life));
    }

    /// <summary>Removes exactly this token: one that another replica has put there meanwhile stays.</summary>
    public async Task RemoveAsync(AccessToken token)
    {
        var (found, wire) = await ReadAsync();
        if (found?.Value == token.Value)
        {
            await _redis.DeleteIfEqualAsync(_key, wire);
        }
    }

    /// <summary>The right to ask the token endpoint for all replicas; <c>Done</c> is false where there is no Redis to grant it.</summary>
    public Task<(bool Done, string? Lease)> TryTakeLeaseAsync(TimeSpan life) => _lease.TryTakeAsync(_identity, life);

    public Task<bool> IsLeaseHeldAsync() => _lease.IsHeldAsync(_identity);

    public Task ReleaseLeaseAsync(string lease) => _lease.ReleaseAsync(_identity, lease);

    private async Task<(AccessToken? Token, RedisValue Wire)> ReadAsync()
    {
        var (done, wire) = await _redis.TryAsync(database => database.StringGetAsync(_key));
        if (!done || wire.IsNull || _cipher.Open((byte[])wire!, _key) is not { } plaintext)
        {
            return default;
        }

        try
        {
            return JsonSerializer.Deserialize(plaintext, TokenStoreContext.Default.Entry) is { Token.Length: > 0 } entry
                ? (new AccessToken(entry.Token, entry.ObtainedAt, entry.ExpiresAt, entry.FollowsRejection), wire)
                : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>
    /// Everything that makes a token this token. The id of the encryption key is part of it: replicas with an old and a new secret
    /// would otherwise overwrite what the others cannot read.
    /// </summary>
    private static string Identity(AccessTokensOptions options, string keyId)
    {
        string[] parts = [options.Authority!.AbsoluteUri, options.ClientId, options.Audience, string.Join(' ', options.ScopeList.Order(StringComparer.Ordinal)), keyId];
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts.Select(part => $"{part.Length}:{part}"))));
        return Convert.ToHexStringLower(hash.AsSpan(0, 16));
    }

    private sealed record Entry(string Token, DateTimeOffset ObtainedAt, DateTimeOffset ExpiresAt, bool FollowsRejection);

    [JsonSerializable(typeof(Entry))]
    private sealed partial class TokenStoreContext : JsonSerializerContext;
}
