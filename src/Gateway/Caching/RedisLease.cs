using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// A short, expiring claim in Redis: of all replicas one loads, the others wait for what it finds. A lease is a courtesy and not a
/// lock: its loss costs a second load, never a wrong value, so a late write or release is harmless.
/// </summary>
internal sealed class RedisLease(RedisConnection redis, IOptions<RedisOptions> options)
{
    // KEYS: value, lease, value, lease … ARGV: token, life in milliseconds, then for each pair 1 if the lease is wanted. Returns for each
    // pair what the value is, and 1 if there is none and the lease was free.
    private const string ReadOrTake = """
        local found = {}
        for i = 1, #KEYS, 2 do
          local value = redis.call('GET', KEYS[i])
          local taken = not value and ARGV[2 + (i + 1) / 2] == '1' and redis.call('SET', KEYS[i + 1], ARGV[1], 'PX', ARGV[2], 'NX')
          found[i], found[i + 1] = value, taken and 1 or 0
        end
        return found
        """;

    // KEYS: value, lease. ARGV: token, the value, its life in milliseconds.
    private const string PutAndGiveBack = """
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
        return 1
        """;

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private long _serial;

    /// <returns>A token to release it with; null if another holds it, or if Redis cannot be had: <c>Done</c> tells which.</returns>
    public async Task<(bool Done, string? Token)> TryTakeAsync(string name, TimeSpan life)
    {
        var token = NewToken();
        var (done, taken) = await redis.TryAsync("SET", database => database.StringSetAsync(Key(name), token, life, When.NotExists));
        return (done, done && taken ? token : null);
    }

    /// <summary>The values of many keys, and the leases of those that have none, in one round trip.</summary>
    /// <param name="wanted">Key of the value, name of the lease, and whether to take it if there is no value.</param>
    /// <param name="life">Of the leases.</param>
    /// <returns>In the same order; empty if Redis cannot be had.</returns>
    public async Task<(byte[]? Value, string? Token)[]> ReadOrTakeAsync(IReadOnlyList<(string Key, string Name, bool Take)> wanted, TimeSpan life)
    {
        var token = NewToken();
        var keys = new RedisKey[2 * wanted.Count];
        var arguments = new RedisValue[2 + wanted.Count];
        (arguments[0], arguments[1]) = (token, (long)life.TotalMilliseconds);
        for (var index = 0; index < wanted.Count; index++)
        {
            var (key, name, take) = wanted[index];
            (keys[2 * index], keys[(2 * index) + 1], arguments[2 + index]) = (key, Key(name), take ? 1 : 0);
        }

        var (done, result) = await redis.TryAsync("EVAL", database => database.ScriptEvaluateAsync(ReadOrTake, keys, arguments, RedisConnection.ScriptFlags));
        if (!done || (RedisResult[]?)result is not { } found || found.Length != keys.Length)
        {
            return [];
        }

        var read = new (byte[]?, string?)[wanted.Count];
        for (var index = 0; index < read.Length; index++)
        {
            read[index] = ((byte[]?)found[2 * index], (long)found[(2 * index) + 1] == 1 ? token : null);
        }

        return read;
    }

    /// <summary>Puts the value there and gives the lease back, if it is still ours.</summary>
    public Task PutAndReleaseAsync(string key, byte[] value, TimeSpan life, string name, string token) =>
        redis.TryAsync("EVAL", database => database.ScriptEvaluateAsync(
            PutAndGiveBack, [key, Key(name)], [token, value, Math.Max(1, (long)life.TotalMilliseconds)], RedisConnection.ScriptFlags)).AsTask();

    public async Task<bool> IsHeldAsync(string name)
    {
        var (done, held) = await redis.TryAsync("EXISTS", database => database.KeyExistsAsync(Key(name)));
        return done && held;
    }

    /// <summary>Gives it back, if it is still ours.</summary>
    public Task ReleaseAsync(string name, string token) => redis.DeleteIfEqualAsync(Key(name), token);

    private string NewToken() => $"{_owner}:{Interlocked.Increment(ref _serial)}";

    private RedisKey Key(string name) => $"{options.Value.KeyPrefix}:lease:{name}";
}
