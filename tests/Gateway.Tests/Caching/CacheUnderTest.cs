using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Configuration;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Caching;

/// <summary>A <see cref="CacheResult{T}"/> of a text, laid open.</summary>
internal sealed record Looked(string? Value, UpstreamFailure? Failure, TimeSpan FreshUntil, DateTimeOffset? StaleAsOf, bool Loaded, ChangeStamp Watch, RequestTimings? Waits)
{
    private static readonly ConditionalWeakTable<Task<CacheResult<string?>>, Task<Looked>> All = [];

    /// <summary>The same task for the same task, so that a test sees which are shared.</summary>
    public static Task<Looked> UpAsync(Task<CacheResult<string?>> asked) => All.GetValue(asked, OpenAsync);

    private static async Task<Looked> OpenAsync(Task<CacheResult<string?>> asked)
    {
        var (result, freshUntil, loaded, watch, waits) = await asked;
        return new(result.TryGet(out var value, out _) ? value : null, result.Failure, freshUntil, result.StaleAsOf, loaded, watch, waits);
    }
}

/// <summary>A cache of texts on a manual clock, and the upstream that it asks. A null text means "there is no such thing".</summary>
internal sealed partial class CacheUnderTest : IDisposable
{
    public static readonly TimeSpan LoadTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _loads = new(StringComparer.Ordinal);
    private readonly RedisConnection? _ownRedis;
    private readonly DateTimeOffset _start;
    private TaskCompletionSource _open = Opened();

    /// <summary>Without a Redis.</summary>
    public CacheUnderTest(int maxConcurrentLoads = 100, long memoryLimit = 1024 * 1024, bool hasInventedKeys = false)
        : this(connection: null, Fixed.Options(new RedisOptions()), maxConcurrentLoads, memoryLimit, hasInventedKeys: hasInventedKeys)
    {
    }

    /// <summary>With one, whose connection is somebody else's.</summary>
    public CacheUnderTest(RedisConnection? connection, FixedOptions<RedisOptions> redis, int maxConcurrentLoads = 100, long memoryLimit = 1024 * 1024, TimeSpan? loadTimeout = null, bool hasInventedKeys = false)
    {
        _start = Time.GetUtcNow();
        connection ??= _ownRedis = new RedisConnection(redis, Time, NullLogger<RedisConnection>.Instance);
        Ledger = new PurgeLog(connection, redis, Time, NullLogger<PurgeLog>.Instance);
        Memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = memoryLimit });
        Cache = new TwoLevelCache<string?>(
            new TwoLevelCacheOptions<string?>("texts", Texts.Default.String!, loadTimeout ?? LoadTimeout, maxConcurrentLoads, hasInventedKeys),
            Fixed.Options(Ages),
            redis,
            Memory,
            connection,
            new RedisLease(connection, redis, Time),
            Ledger,
            Time,
            NullLogger<TwoLevelCache<string?>>.Instance);
    }

    public TestClock Time { get; } = new();

    public CatalogOptions Ages { get; } = new();

    public PurgeLog Ledger { get; }

    public MemoryCache Memory { get; }

    public TwoLevelCache<string?> Cache { get; }

    /// <summary>Every value of this upstream begins with it.</summary>
    public string Name { get; init; } = string.Empty;

    public TimeSpan Elapsed => Time.GetUtcNow() - _start;

    public bool Failing { get; set; }

    public bool Throwing { get; set; }

    public bool SaysNotFound { get; set; }

    /// <summary>Loads in flight now, and the most there ever were.</summary>
    public (int Now, int Most) InFlight { get; private set; }

    public int Loads
    {
        get
        {
            lock (_gate)
            {
                return _loads.Values.Sum();
            }
        }
    }

    /// <summary>Loads from now on wait until <see cref="Release"/> or their deadline.</summary>
    public void Hold() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _open.TrySetResult();

    /// <summary>Until every look-up and refresh has landed; only while loads are not held.</summary>
    public async Task LandedAsync()
    {
        if (_open.Task.IsCompleted)
        {
            await Quiet.UntilAsync(() => Cache.InFlight == 0);
        }
    }

    /// <summary>Opens what holds the loads that are in flight now, even if others are held after.</summary>
    public Action ReleaseLater()
    {
        var open = _open;
        return () => open.TrySetResult();
    }

    public IReadOnlyList<Task<Looked>> Ask(params string[] keys) => Ask(CancellationToken.None, keys);

    public IReadOnlyList<Task<Looked>> Ask(CancellationToken abandoned, params string[] keys) => [.. Cache.GetMany([.. keys.Select(Query)], abandoned).Select(Looked.UpAsync)];

    /// <summary>What one key yields; the clock stands still.</summary>
    public Task<Looked> AskOneAsync(string key = "a") =>
        Ask(key)[0].WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);

    public bool TryPeek(string key, out string? value) => Cache.TryPeek(Query(key), out value);

    public Task PurgeAsync(string? key, bool hard) => Ledger.PurgeAsync(new PurgeScope(key is null ? null : "tag:" + key, hard));

    /// <summary>Until what runs in the background has come to rest.</summary>
    public static Task SettleAsync() => Quiet.SettleAsync();

    public void Dispose()
    {
        // Its patience is on the manual clock, which nobody advances any more.
        _ = Cache.DisposeAsync().AsTask();
        Memory.Dispose();
        Ledger.Dispose();
        _ownRedis?.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private CacheQuery<string?> Query(string key) => new(key, "tag:" + key, (_, token) => LoadAsync(key, token));

    private async Task<UpstreamResult<string?>> LoadAsync(string key, CancellationToken cancellationToken)
    {
        int serial;
        Task open;
        lock (_gate)
        {
            serial = _loads[key] = _loads.GetValueOrDefault(key) + 1;
            InFlight = (InFlight.Now + 1, Math.Max(InFlight.Most, InFlight.Now + 1));
            open = _open.Task;
        }

        try
        {
            await open.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!Throwing)
        {
            return UpstreamResult.Failed<string?>(UpstreamFailure.Unreachable);
        }
        finally
        {
            lock (_gate)
            {
                InFlight = (InFlight.Now - 1, InFlight.Most);
            }
        }

        if (Throwing)
        {
            throw new InvalidOperationException("A bug of the loader's.");
        }

        return Failing
            ? UpstreamResult.Failed<string?>(UpstreamFailure.Unreachable)
            : UpstreamResult.Of(SaysNotFound ? null : Name + key + serial.ToString(CultureInfo.InvariantCulture));
    }

    [JsonSerializable(typeof(string))]
    private sealed partial class Texts : JsonSerializerContext;
}
