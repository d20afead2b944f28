using Gateway.Observability;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// A short, expiring claim in Redis: of all replicas one loads, the others wait for what it finds. A lease is a courtesy and not a
/// lock: its loss costs a second load, never a wrong value, so a late write or release is harmless.
/// </summary>
internal sealed class RedisLease(RedisConnection redis, IOptions<RedisOptions> options, TimeProvider time)
{
    /// <summary>How often one that waits for another replica looks.</summary>
    private static readonly TimeSpan PeerPoll = TimeSpan.FromMilliseconds(50);

    // KEYS: value, lease, value, lease … ARGV: token, life in milliseconds, the most bytes a value may have, then for each pair 1 if the
    // lease is wanted. Returns for each pair what the value is, and 1 if there is none and the lease was free. A Redis that is full or
    // may not be written refuses the lease, and is read all the same.
    private const string ReadOrTake = """
        local found = {}
        for i = 1, #KEYS, 2 do
          local value = redis.call('STRLEN', KEYS[i]) <= tonumber(ARGV[3]) and redis.call('GET', KEYS[i])
          local taken = not value and ARGV[3 + (i + 1) / 2] == '1' and redis.pcall('SET', KEYS[i + 1], ARGV[1], 'PX', ARGV[2], 'NX')
          found[i], found[i + 1] = value, taken and taken.ok and 1 or 0
        end
        return found
        """;

    // KEYS: value, lease. ARGV: token, the value, its life in milliseconds. Where the value is refused the lease is given back all the same.
    private const string PutAndGiveBack = """
        local put = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
        return put
        """;

    private readonly string _owner = Guid.NewGuid().ToString("N");
    private long _serial;

    /// <summary>
    /// The lease, or what another replica has found meanwhile, or neither: then each loads for itself, because Redis cannot be had or
    /// because whoever holds the lease takes longer than it should live.
    /// </summary>
    /// <param name="name">Of the lease, with the key of the value that it is for as hash tag: in a cluster both are on the same node.</param>
    /// <param name="life">Of the lease, and how long another's is waited for.</param>
    /// <param name="kind">What it is for, in the metric.</param>
    /// <param name="readAsync">Reads the value that another replica has put into Redis; null if there is none.</param>
    /// <param name="stopping">Ends the wait with neither.</param>
    /// <returns>A token to release the lease with, or the value.</returns>
    public async Task<(string? Token, T? Found)> TakeOrWaitAsync<T>(string name, TimeSpan life, string kind, Func<Task<T?>> readAsync, CancellationToken stopping)
        where T : class
    {
        var begun = time.GetTimestamp();
        while (!stopping.IsCancellationRequested)
        {
            var (done, token) = await TryTakeAsync(name, life);
            if (!done)
            {
                break;
            }

            // Read after the lease was tried: whoever held it before has put its value there first.
            if (await readAsync() is { } found)
            {
                if (token is not null)
                {
                    await ReleaseAsync(name, token);
                }

                return (null, found);
            }

            if (token is not null)
            {
                return (token, null);
            }

            var waiting = time.GetTimestamp();
            try
            {
                do
                {
                    if (time.GetElapsedTime(begun) >= life)
                    {
                        return default;
                    }

                    await Task.Delay(PeerPoll, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
                while (!stopping.IsCancellationRequested && await IsHeldAsync(name));
            }
            finally
            {
                Metrics.LeaseWait.Record(time.GetElapsedTime(waiting).TotalSeconds, Metrics.Tag("kind", kind));
            }
        }

        return default;
    }

    /// <returns>A token to release it with; null if another holds it, or if Redis cannot be had: <c>Done</c> tells which.</returns>
    internal async Task<(bool Done, string? Token)> TryTakeAsync(string name, TimeSpan life)
    {
        var token = NewToken();
        var (done, taken) = await redis.TryAsync("SET", Key(name), database => database.StringSetAsync(Key(name), token, life, When.NotExists), writes: true);
        return (done, done && taken ? token : null);
    }

    /// <summary>
    /// The values of many keys, and the leases of those that have none, in one round trip: one script, or of a cluster one for each slot,
    /// side by side.
    /// </summary>
    /// <param name="wanted">Key of the value, name of the lease, and whether to take it if there is no value.</param>
    /// <param name="life">Of the leases.</param>
    /// <returns>In the same order; what could not be had is as if it were not there.</returns>
    public async Task<(byte[]? Value, string? Token)[]> ReadOrTakeAsync(IReadOnlyList<(string Key, string Name, bool Take)> wanted, TimeSpan life)
    {
        var found = new (byte[]?, string?)[wanted.Count];
        await Task.WhenAll(Enumerable.Range(0, wanted.Count).GroupBy(index => redis.SlotOf(wanted[index].Key)).Select(slot => ReadOrTakeAsync(wanted, [.. slot], life, found)));
        return found;
    }

    private async Task ReadOrTakeAsync(IReadOnlyList<(string Key, string Name, bool Take)> wanted, int[] indexes, TimeSpan life, (byte[]?, string?)[] read)
    {
        var token = NewToken();
        var keys = new RedisKey[2 * indexes.Length];
        var arguments = new RedisValue[3 + indexes.Length];
        (arguments[0], arguments[1], arguments[2]) = (token, (long)life.TotalMilliseconds, CacheWire.MaxBytes);
        for (var index = 0; index < indexes.Length; index++)
        {
            var (key, name, take) = wanted[indexes[index]];
            (keys[2 * index], keys[(2 * index) + 1], arguments[3 + index]) = (key, Key(name), take ? 1 : 0);
        }

        var (done, result) = await redis.TryAsync("EVAL", keys[0], database => database.ScriptEvaluateAsync(ReadOrTake, keys, arguments, RedisConnection.ScriptFlags));
        if (!done || (RedisResult[]?)result is not { } found || found.Length != keys.Length)
        {
            return;
        }

        for (var index = 0; index < indexes.Length; index++)
        {
            read[indexes[index]] = ((byte[]?)found[2 * index], (long)found[(2 * index) + 1] == 1 ? token : null);
        }
    }

    /// <summary>Puts the value there and gives the lease back, if it is still ours.</summary>
    public Task PutAndReleaseAsync(string key, byte[] value, TimeSpan life, string name, string token)
    {
        RedisKey[] keys = [key, Key(name)];
        RedisValue[] arguments = [token, value, Math.Max(1, (long)life.TotalMilliseconds)];
        return redis.TryAsync("EVAL", key, database => database.ScriptEvaluateAsync(PutAndGiveBack, keys, arguments, RedisConnection.ScriptFlags), writes: true).AsTask();
    }

    internal async Task<bool> IsHeldAsync(string name)
    {
        var (done, held) = await redis.TryAsync("EXISTS", Key(name), database => database.KeyExistsAsync(Key(name)));
        return done && held;
    }

    /// <summary>Gives it back, if it is still ours.</summary>
    public Task ReleaseAsync(string name, string token) => redis.DeleteIfEqualAsync(Key(name), token);

    private string NewToken() => $"{_owner}:{Interlocked.Increment(ref _serial)}";

    private RedisKey Key(string name) => $"{options.Value.KeyPrefix}:lease:{name}";
}
