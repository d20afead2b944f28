using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Observability;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.AccessTokens;

/// <summary>The token that all replicas share, encrypted in Redis. Everything here is "if Redis can be had"; nothing throws.</summary>
internal sealed partial class AccessTokenStore
{
    /// <summary>No header carries a longer token; what is longer is cut, and then none of ours.</summary>
    internal const int MaxBytes = 64 * 1024;

    private readonly RedisConnection _redis;
    private readonly RedisLease _lease;
    private readonly TimeProvider _time;
    private readonly IOptionsMonitor<AccessTokensOptions> _options;
    private readonly string _prefix;
    private volatile Place _place;

    public AccessTokenStore(
        RedisConnection redis, RedisLease lease, IOptionsMonitor<AccessTokensOptions> options, IOptions<RedisOptions> redisOptions, TimeProvider time)
    {
        _redis = redis;
        _lease = lease;
        _time = time;
        _options = options;
        _prefix = redisOptions.Value.KeyPrefix;
        _place = new Place(options.CurrentValue, _prefix);
    }

    /// <summary>Where the token of the credentials now in use lies; with other credentials it is another place.</summary>
    private Place Current => _place is { } place && place.Options == _options.CurrentValue ? place : _place = new Place(_options.CurrentValue, _prefix);

    internal string LeaseName => Current.Lease;

    public async Task<AccessToken?> GetAsync() => (await ReadAsync(Current)).Token;

    /// <summary>Kept for as long as the token is usable, so that Redis forgets it before it expires.</summary>
    public async Task SetAsync(AccessToken token)
    {
        var (now, wall) = (_time.Monotonic(), _time.GetUtcNow());
        var life = token.UsableUntil - now;
        if (life < TimeSpan.FromMilliseconds(1))
        {
            return;
        }

        var entry = new Entry(token.Value, wall + (token.ObtainedAt - now), wall + (token.ExpiresAt - now), token.FollowsRejection);
        var place = Current;
        var wire = place.Cipher.Seal(JsonSerializer.SerializeToUtf8Bytes(entry, TokenStoreContext.Default.Entry), place.Key);
        await _redis.TryAsync("SET", place.Key, database => database.StringSetAsync(place.Key, wire, life), writes: true);
    }

    /// <summary>Removes exactly this token: one that another replica has put there meanwhile stays.</summary>
    public async Task RemoveAsync(AccessToken token)
    {
        var place = Current;
        var (found, wire) = await ReadAsync(place);
        if (found?.Value == token.Value)
        {
            await _redis.DeleteIfEqualAsync(place.Key, wire);
        }
    }

    /// <summary>The right to ask the token endpoint for all replicas, or what another one was given, as <see cref="RedisLease.TakeOrWaitAsync"/>.</summary>
    public Task<(string? Lease, AccessToken? Found)> TakeLeaseOrWaitAsync(TimeSpan life, Func<Task<AccessToken?>> readAsync, CancellationToken stopping) =>
        _lease.TakeOrWaitAsync(LeaseName, life, "token", readAsync, stopping);

    public Task ReleaseLeaseAsync(string lease) => _lease.ReleaseAsync(LeaseName, lease);

    private async Task<(AccessToken? Token, RedisValue Wire)> ReadAsync(Place place)
    {
        var (_, wire) = await _redis.TryAsync("GETRANGE", place.Key, database => database.StringGetRangeAsync(place.Key, 0, MaxBytes));
        if (place.Cipher.Open((byte[]?)wire, place.Key) is not { } plaintext)
        {
            return default;
        }

        try
        {
            return JsonSerializer.Deserialize(plaintext, TokenStoreContext.Default.Entry) is { Token.Length: > 0 } entry
                ? (Read(entry), wire)
                : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    /// <summary>One from the future, because its writer's clock or this one was set, is as good as one that is due for renewal.</summary>
    private AccessToken Read(Entry entry)
    {
        var life = entry.ExpiresAt - entry.ObtainedAt;
        var obtainedAt = _time.Monotonic() - (_time.AgeOf(entry.ObtainedAt) ?? life * AccessToken.RenewalAge);
        return new AccessToken(entry.Token, obtainedAt, obtainedAt + life, entry.FollowsRejection);
    }

    /// <summary>
    /// Everything that makes a token this token. The id of the encryption key is part of it: replicas with an old and a new secret
    /// would otherwise overwrite what the others cannot read.
    /// </summary>
    private static string IdentityOf(AccessTokensOptions options, string keyId)
    {
        string[] parts = [options.EffectiveAuthority.AbsoluteUri, options.ClientId, options.Audience, string.Join(' ', options.ScopeList.Order(StringComparer.Ordinal)), keyId];
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts.Select(part => $"{part.Length}:{part}"))));
        return Convert.ToHexStringLower(hash.AsSpan(0, 16));
    }

    private sealed class Place
    {
        public Place(AccessTokensOptions options, string prefix)
        {
            Options = options;
            Cipher = new TokenCipher(options);
            Key = $"{prefix}:token:{IdentityOf(options, Cipher.KeyId)}";
            Lease = $"{{{Key}}}";
        }

        public AccessTokensOptions Options { get; }

        public TokenCipher Cipher { get; }

        public string Key { get; }

        public string Lease { get; }
    }

    /// <summary>As it lies in Redis: in wall time, since other replicas read it.</summary>
    private sealed record Entry(string Token, DateTimeOffset ObtainedAt, DateTimeOffset ExpiresAt, bool FollowsRejection);

    [JsonSerializable(typeof(Entry))]
    private sealed partial class TokenStoreContext : JsonSerializerContext;
}
