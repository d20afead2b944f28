using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// A short, expiring claim in Redis: of all replicas one loads, the others wait for what it finds. A lease is a courtesy and not a
/// lock: its loss costs a second load, never a wrong value, so a late write or release is harmless.
/// </summary>
internal sealed class RedisLease(RedisConnection redis, IOptions<RedisOptions> options)
{
    private readonly string _owner = Guid.NewGuid().ToString("N");
    private long _serial;

    /// <returns>A token to release it with; null if another holds it, or if Redis cannot be had: <c>Done</c> tells which.</returns>
    public async Task<(bool Done, string? Token)> TryTakeAsync(string name, TimeSpan life)
    {
        var token = $"{_owner}:{Interlocked.Increment(ref _serial)}";
        var (done, taken) = await redis.TryAsync("SET", database => database.StringSetAsync(Key(name), token, life, When.NotExists));
        return (done, done && taken ? token : null);
    }

    public async Task<bool> IsHeldAsync(string name)
    {
        var (done, held) = await redis.TryAsync("EXISTS", database => database.KeyExistsAsync(Key(name)));
        return done && held;
    }

    /// <summary>Gives it back, if it is still ours.</summary>
    public Task ReleaseAsync(string name, string token) => redis.DeleteIfEqualAsync(Key(name), token);

    private RedisKey Key(string name) => $"{options.Value.KeyPrefix}:lease:{name}";
}
