using System.Globalization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>What a purge makes of an entry.</summary>
internal enum PurgeVerdict
{
    /// <summary>No purge since its load began.</summary>
    Valid,

    /// <summary>Marked stale by a soft purge.</summary>
    Stale,

    /// <summary>Deleted by a hard purge.</summary>
    Dead,
}

/// <summary>
/// The purges, in an order that all replicas agree on: an epoch in Redis that every purge raises, and a log of the last ones. An
/// entry carries the epoch at which its load began, so nothing has to be searched for and deleted, and a load that began before a
/// purge cannot bring the old value back: it is judged when it is read. Replicas hear of a purge by publish/subscribe, and read
/// the epoch again every 10 s and after every reconnect; until then they do not use what lies in Redis. Whoever finds that it
/// missed more than the log tells takes it for a hard purge of everything.
/// </summary>
internal sealed partial class PurgeLog : BackgroundService
{
    internal static readonly TimeSpan SyncInterval = TimeSpan.FromSeconds(10);

    /// <summary>How soon one that failed is tried again: until it succeeds what lies in Redis is not used.</summary>
    private static readonly TimeSpan SyncRetry = TimeSpan.FromSeconds(1);

    private static readonly PurgeScope Everything = new(Tag: null, Hard: true);

    private const int LogLength = 1_000;

    // KEYS: epoch, log. ARGV: the caller's epoch, hardness, tag, log length, channel.
    private const string PurgeScript = """
        local e = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[1])) + 1
        redis.call('SET', KEYS[1], e)
        redis.call('LPUSH', KEYS[2], e .. '|' .. ARGV[2] .. '|' .. ARGV[3])
        redis.call('LTRIM', KEYS[2], 0, tonumber(ARGV[4]) - 1)
        redis.call('PUBLISH', ARGV[5], e)
        return e
        """;

    // KEYS: epoch, log. ARGV: the caller's epoch, log length. A Redis that was emptied is told the epoch it had.
    private const string SyncScript = """
        local e = tonumber(redis.call('GET', KEYS[1]) or '0')
        if e < tonumber(ARGV[1]) then
          e = tonumber(ARGV[1])
          redis.call('SET', KEYS[1], e)
        end
        if e == tonumber(ARGV[1]) then return {tostring(e)} end
        local log = redis.call('LRANGE', KEYS[2], 0, tonumber(ARGV[2]) - 1)
        table.insert(log, 1, tostring(e))
        return log
        """;

    private readonly RedisConnection _redis;
    private readonly TimeProvider _time;
    private readonly ILogger<PurgeLog> _logger;
    private readonly string _channel;
    private readonly string _clusterPrefix;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<string, (long Soft, long Hard)> _byTag = new(StringComparer.Ordinal);
    private (long Soft, long Hard) _all;
    private long _epoch;
    private volatile bool _synced;
    private volatile bool _diverged;

    public PurgeLog(RedisConnection redis, IOptions<RedisOptions> options, TimeProvider time, ILogger<PurgeLog> logger)
    {
        _redis = redis;
        _time = time;
        _logger = logger;
        _channel = options.Value.KeyPrefix + ":purge";
        _clusterPrefix = options.Value.KeyPrefix + ":{purge}";
        redis.Disconnected += (_, _) =>
        {
            // Of a cluster it may be one node of many that is gone.
            _synced = false;
            Wake();
        };
        redis.Connected += (_, _) => Wake();
        redis.Subscribe(_channel, Wake);
    }

    /// <summary>Raised by every purge that this replica made or heard of.</summary>
    public long Epoch => Interlocked.Read(ref _epoch);

    /// <summary>What lies in Redis can be judged: no purge was missed since the connection was made.</summary>
    public bool IsSynced => _synced;

    public PurgeVerdict Judge(string tag, long epoch)
    {
        lock (_gate)
        {
            var (soft, hard) = _byTag.TryGetValue(tag, out var own) ? (Math.Max(own.Soft, _all.Soft), Math.Max(own.Hard, _all.Hard)) : _all;
            return epoch < hard ? PurgeVerdict.Dead : epoch < soft ? PurgeVerdict.Stale : PurgeVerdict.Valid;
        }
    }

    /// <returns>Whether all replicas were told; false if Redis cannot be had and the purge is this replica's alone for now.</returns>
    public async Task<bool> PurgeAsync(PurgeScope scope)
    {
        var (done, epoch) = await PublishAsync(scope);
        if (done)
        {
            // What others purged meanwhile comes with the log. Where that cannot be read any more: more than was asked, never less.
            await SyncAsync();
            lock (_gate)
            {
                if (_epoch < epoch)
                {
                    Apply(epoch, Everything);
                }
            }
        }
        else
        {
            // The next sync makes it a purge of everything for all: the epochs have gone different ways.
            _diverged = true;
            lock (_gate)
            {
                Apply(_epoch + 1, scope);
            }
        }

        Log.Purged(_logger, scope.Tag ?? "everything", scope.Hard, done);
        return done;
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await SyncAsync();
                using var interval = new CancellationTokenSource(_synced || _redis.State == RedisState.Off ? SyncInterval : SyncRetry, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(interval.Token, stoppingToken);
                await _wake.WaitAsync(either.Token);
            }
            catch (OperationCanceledException)
            {
                // The interval is over, or the host stops.
            }
            catch (Exception exception)
            {
                // A bug: what is in Redis is not used until the next look succeeds, and there is a next one.
                _synced = false;
                Log.Broken(_logger, exception);
                await Task.Delay(SyncRetry, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>In one slot of a cluster. Elsewhere they have the names that they had before there were clusters, so that releases hear of each other's purges.</summary>
    private RedisKey[] Keys()
    {
        var start = _redis.SlotOf(_channel) < 0 ? _channel : _clusterPrefix;
        return [start + ":epoch", start + ":log"];
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Already awake.
        }
        catch (ObjectDisposedException)
        {
            // Stopping.
        }
    }

    private async Task SyncAsync()
    {
        if (_diverged)
        {
            if (!(await PublishAsync(Everything)).Done)
            {
                _synced = false;
                return;
            }

            _diverged = false;
        }

        var (known, keys) = (Epoch, Keys());
        var (done, read) = await _redis.TryAsync("EVAL", keys[0], async database =>
            ReadLog(await database.ScriptEvaluateAsync(SyncScript, keys, [known, LogLength], RedisConnection.ScriptFlags)));
        if (!done)
        {
            _synced = false;
            return;
        }

        lock (_gate)
        {
            Catch(read.Epoch, read.Log.SelectMany(Parse).OrderBy(record => record.Epoch).ToList());
        }

        _synced = true;
    }

    /// <summary>Whatever lies in Redis where our epoch should be, it may make Redis useless and nothing worse.</summary>
    private static (long Epoch, IEnumerable<string> Log) ReadLog(RedisResult reply) =>
        (RedisValue[]?)reply is [var first, .. var log] && long.TryParse(first.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
            ? (epoch, log.Select(line => line.ToString()))
            : throw new InvalidCastException("Not an epoch with a log.");

    private void Catch(long epoch, List<(long Epoch, PurgeScope Scope)> log)
    {
        foreach (var (recorded, scope) in log.Where(record => record.Epoch > _epoch))
        {
            if (recorded > _epoch + 1)
            {
                // Records in between are lost.
                Apply(recorded - 1, Everything);
            }

            Apply(recorded, scope);
        }

        if (epoch > _epoch)
        {
            Apply(epoch, Everything);
        }
    }

    private void Apply(long epoch, PurgeScope scope)
    {
        Interlocked.Exchange(ref _epoch, epoch);
        if (scope.Tag is not { } tag)
        {
            _all = scope.Hard ? (_all.Soft, epoch) : (epoch, _all.Hard);
            return;
        }

        if (_byTag.Count >= LogLength && !_byTag.ContainsKey(tag))
        {
            // Too many to keep apart: what was purged of some is purged of all.
            _all = (Math.Max(_all.Soft, _byTag.Values.Max(purged => purged.Soft)), Math.Max(_all.Hard, _byTag.Values.Max(purged => purged.Hard)));
            _byTag.Clear();
        }

        var own = _byTag.GetValueOrDefault(tag);
        _byTag[tag] = scope.Hard ? (own.Soft, epoch) : (epoch, own.Hard);
    }

    /// <summary>A line that cannot be read is left out, and so found missing: a purge of everything.</summary>
    private static IEnumerable<(long Epoch, PurgeScope Scope)> Parse(string line)
    {
        if (line.Split('|', 3) is [var number, ("0" or "1") and var hard, var tag]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var epoch))
        {
            yield return (epoch, new PurgeScope(tag.Length == 0 ? null : tag, hard == "1"));
        }
    }

    private async Task<(bool Done, long Epoch)> PublishAsync(PurgeScope scope)
    {
        var keys = Keys();
        var (done, epoch) = await _redis.TryAsync("EVAL", keys[0], async database => (long)await database.ScriptEvaluateAsync(
            PurgeScript, keys, [Epoch, scope.Hard ? 1 : 0, scope.Tag ?? string.Empty, LogLength, _channel], RedisConnection.ScriptFlags));
        return (done, epoch);
    }

    private static partial class Log
    {
        [LoggerMessage(2101, LogLevel.Information, "Purged {Scope} (hard: {Hard}, all replicas told: {Shared})")]
        public static partial void Purged(ILogger logger, string scope, bool hard, bool shared);

        [LoggerMessage(2102, LogLevel.Error, "Looking for purges broke; it is tried again after a second")]
        public static partial void Broken(ILogger logger, Exception exception);
    }
}

/// <summary>What a purge is about.</summary>
/// <param name="Tag">What entries are tagged with, such as <c>sku:x</c>; null for everything.</param>
/// <param name="Hard">Delete; otherwise mark stale, so that the old value is served while it is refreshed.</param>
internal sealed record PurgeScope(string? Tag, bool Hard);
