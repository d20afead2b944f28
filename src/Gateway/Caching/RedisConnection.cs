using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Gateway.Observability;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// The one connection to Redis, and the rule that Redis may make the gateway slower but never stop it: whatever its client throws
/// ends here. A command is only issued while connected (newer clients would queue it and run it much later), waits at most
/// <c>Redis:OperationTimeout</c> (the client notices its own asynchronous time-outs about once a second), and its failure puts Redis
/// into a cool-off, so that one that accepts and never answers costs one short delay and not one per request. One that answers and
/// refuses, as a full one refuses writes, is not left alone. Of a cluster each node is left alone by itself.
/// </summary>
internal sealed partial class RedisConnection : IDisposable
{
    /// <summary>How long Redis is left alone after a command failed.</summary>
    internal static readonly TimeSpan CoolOff = TimeSpan.FromSeconds(5);

    /// <summary>How long nothing must have been refused before writes count as accepted again: some may be, others not.</summary>
    internal static readonly TimeSpan RefusalPassed = TimeSpan.FromMinutes(1);

    /// <summary>How often servers are asked who is the primary, while one is lost or is none any more.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>For one attempt to connect, unless the connection string says otherwise; the client's own default is 5 s.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Scripts go out whole: one that the client believes a restarted Redis to know would fail.</summary>
    internal const CommandFlags ScriptFlags = CommandFlags.NoScriptCache;

    private static readonly RedisFault NotConnected = RedisFault.Of(ConnectionFailureType.UnableToConnect) with { Reason = "not connected" };

    private const string CompareAndDelete = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    private readonly IOptionsMonitor<RedisOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisConnection> _logger;
    private readonly ConcurrentBag<(string Channel, Action Received)> _subscriptions = [];
    private ConnectionMultiplexer? _multiplexer;
    private RedisOptions _used;

    /// <summary>Nodes of a cluster by address, or the one Redis under an empty name: until when each is left alone.</summary>
    private readonly ConcurrentDictionary<string, long> _coolOffUntil = new(StringComparer.Ordinal);

    /// <summary>Nodes of a cluster that are not in use.</summary>
    private readonly ConcurrentDictionary<string, bool> _lost = new(StringComparer.Ordinal);
    private int _state = (int)RedisState.Connecting;
    private string? _refusal;
    private string _forbidden = string.Empty;
    private string _said = string.Empty;
    private long _refusedAt;
    private long _lookedAt;

    public RedisConnection(IOptionsMonitor<RedisOptions> options, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _options = options;
        _used = options.CurrentValue;
        _time = time;
        _logger = logger;
        if (_used.ConnectionString.Length == 0)
        {
            _state = (int)RedisState.Off;
        }
    }

    /// <summary>The connection was made or restored.</summary>
    public event EventHandler? Connected;

    /// <summary>The connection was lost.</summary>
    public event EventHandler? Disconnected;

    public RedisState State => (RedisState)Volatile.Read(ref _state);

    /// <summary>The hash slot of a key in a cluster, -1 elsewhere. A script's keys have to be of one slot.</summary>
    public int SlotOf(RedisKey key) => Volatile.Read(ref _multiplexer)?.GetHashSlot(key) ?? -1;

    private bool IsCooling(string node) => _coolOffUntil.TryGetValue(node, out var until) && _time.GetTimestamp() < until;

    /// <summary>Removes a key if it still holds exactly this.</summary>
    public async Task DeleteIfEqualAsync(RedisKey key, RedisValue value) =>
        await TryAsync("EVAL", key, database => database.ScriptEvaluateAsync(CompareAndDelete, [key], [value], ScriptFlags));

    /// <summary>
    /// Runs a command if Redis can be had. <c>Done</c> is false, and nothing is thrown, when it can not, refused, or did not answer in
    /// time. A caller that may leave earlier waits for this with its own token, whose exception is its own.
    /// </summary>
    /// <param name="operation">The command's name, for traces.</param>
    /// <param name="key">One of its keys, all of which are in one slot of a cluster.</param>
    /// <param name="command">Issues it, and reads the reply; one of another shape than the command's is an <see cref="InvalidCastException"/>.</param>
    /// <param name="writes">It changes data whatever is there, so that its success tells that Redis accepts writes.</param>
    public async ValueTask<(bool Done, T? Value)> TryAsync<T>(string operation, RedisKey key, Func<IDatabase, Task<T>> command, bool writes = false)
    {
        FollowConfiguration();
        if (Volatile.Read(ref _multiplexer) is not { } multiplexer)
        {
            return default;
        }

        if (!multiplexer.IsConnected)
        {
            Enter(RedisState.Down, NotConnected);
            return default;
        }

        var (node, isConnected) = NodeOf(multiplexer, key);
        if (!isConnected || IsCooling(node))
        {
            return default;
        }

        Task<T>? running = null;
        using var span = Metrics.Traces.StartActivity(operation, ActivityKind.Client);
        span?.SetTag("db.system.name", "redis").SetTag("db.operation.name", operation);
        var started = _time.GetTimestamp();
        var outcome = "ok";
        try
        {
            running = command(multiplexer.GetDatabase());
            var value = await running.WaitAsync(_options.CurrentValue.OperationTimeout, _time);
            Enter(RedisState.Up, "answers");
            Find(node);
            if (writes && Volatile.Read(ref _refusal) is not null && _time.GetElapsedTime(Volatile.Read(ref _refusedAt)) >= RefusalPassed
                && Interlocked.Exchange(ref _refusal, value: null) is not null)
            {
                Log.Accepts(_logger);
            }

            return (true, value);
        }
        catch (Exception exception)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            Observe(running);
            outcome = GiveUp(multiplexer, node, RedisFault.Of(exception));
            return default;
        }
        finally
        {
            Metrics.RedisDuration.Record(_time.GetElapsedTime(started).TotalSeconds, Metrics.Tag("outcome", outcome));
        }
    }

    /// <summary>What follows from a command that failed.</summary>
    /// <returns>The outcome that is counted.</returns>
    private string GiveUp(ConnectionMultiplexer multiplexer, string node, RedisFault fault)
    {
        if (Volatile.Read(ref _multiplexer) != multiplexer)
        {
            // It was ended because there is another one.
            return "unreachable";
        }

        if (fault.Kind == RedisFaultKind.Unreachable || fault.Reason is RedisFault.ReadOnly or nameof(RedisCommandException))
        {
            LookForMoved(multiplexer);
        }

        switch (fault.Kind)
        {
            case RedisFaultKind.Unreachable:
                Lose(multiplexer, node, fault);
                return "unreachable";
            case RedisFaultKind.Refused:
                // It answers.
                Enter(RedisState.Up, "answers");
                Volatile.Write(ref _refusedAt, _time.GetTimestamp());
                if (Interlocked.Exchange(ref _refusal, fault.Reason) != fault.Reason)
                {
                    Log.Refuses(_logger, fault.Reason, fault.Advice);
                }

                return "refused";
            default:
                _coolOffUntil[node] = _time.GetTimestamp() + (long)(CoolOff.TotalSeconds * _time.TimestampFrequency);
                Lose(multiplexer, node, fault);
                return fault.Kind == RedisFaultKind.TimedOut ? "timeout" : "error";
        }
    }

    /// <summary>Calls back for every message of a channel, from the first connection on and after every reconnect.</summary>
    public void Subscribe(string channel, Action received) => _subscriptions.Add((channel, received));

    /// <summary>Begins to connect and does not wait for it: a start must not hang on optional equipment.</summary>
    public void Start()
    {
        if (State == RedisState.Off)
        {
            Log.Off(_logger);
            return;
        }

        // The client may block on name resolution before it first yields.
        _ = Task.Run(() => ConnectAsync(_used));
    }

    public void Dispose() => Interlocked.Exchange(ref _multiplexer, value: null)?.Dispose();

    /// <summary>Other settings (a new password, say): the old connection goes, a new one is made in the background.</summary>
    private void FollowConfiguration()
    {
        var (used, wanted) = (Volatile.Read(ref _used), _options.CurrentValue);
        if (used == wanted || Interlocked.CompareExchange(ref _used, wanted, used) != used)
        {
            return;
        }

        var old = Interlocked.Exchange(ref _multiplexer, value: null);
        _coolOffUntil.Clear();
        _lost.Clear();
        var isOff = wanted.ConnectionString.Length == 0;
        Enter(isOff ? RedisState.Off : RedisState.Connecting, "other settings", "It is connected to with them now");
        Disconnected?.Invoke(this, EventArgs.Empty);
        _ = Task.Run(async () =>
        {
            old?.Dispose();
            if (!isOff)
            {
                await ConnectAsync(wanted);
            }
        });
    }

    private async Task ConnectAsync(RedisOptions options)
    {
        ConnectionMultiplexer? multiplexer = null;
        try
        {
            var configuration = options.ToConfiguration();
            configuration.AbortOnConnectFail = false;
            configuration.ReconnectRetryPolicy = new LinearRetry(1_000);
            configuration.ClientName ??= "gateway";

            // Of a cluster one node may be gone: what is for it fails at once.
            configuration.BacklogPolicy = BacklogPolicy.FailFast;

            // A key and a channel of the client's own, which an ACL would have to allow.
            (configuration.TieBreaker, configuration.ConfigurationChannel) = (string.Empty, string.Empty);
            if (!options.ConnectionString.Contains("connectTimeout", StringComparison.OrdinalIgnoreCase))
            {
                configuration.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
            }

            multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);
            multiplexer.ConnectionFailed += (_, args) =>
            {
                if (Volatile.Read(ref _multiplexer) != multiplexer)
                {
                    return;
                }

                // The client has a second connection for messages, and tells of attempts that failed after one succeeded: of a node that was
                // lost before nothing more can be missed.
                var node = NameOf(args.EndPoint);
                var wasLost = _lost.ContainsKey(node);
                if (args.ConnectionType == ConnectionType.Interactive || !multiplexer.IsConnected)
                {
                    Lose(multiplexer, node, RedisFault.Of(args.FailureType, args.Exception));
                }

                if (!wasLost)
                {
                    Disconnected?.Invoke(this, EventArgs.Empty);
                }
            };
            multiplexer.ConnectionRestored += (_, args) =>
            {
                if (args.ConnectionType == ConnectionType.Interactive)
                {
                    Find(NameOf(args.EndPoint));
                }

                _ = EnterConnectedAsync(multiplexer, "restored", isForCommands: args.ConnectionType == ConnectionType.Interactive);
            };
            if (Volatile.Read(ref _used) != options)
            {
                multiplexer.Dispose();
                return;
            }

            Volatile.Write(ref _multiplexer, multiplexer);
            foreach (var (channel, received) in _subscriptions)
            {
                // Not awaited: without a connection this would wait for one. The client subscribes again by itself.
                multiplexer.GetSubscriber().Subscribe(
                    new RedisChannel(channel, RedisChannel.PatternMode.Literal), (_, _) => received(), CommandFlags.FireAndForget);
            }

            await EnterConnectedAsync(multiplexer, "connected", isForCommands: true);
        }
        catch (Exception exception)
        {
            // Rare: without a server the client returns and goes on trying by itself.
            Interlocked.CompareExchange(ref _multiplexer, value: null, multiplexer);
            multiplexer?.Dispose();
            Enter(RedisState.Down, RedisFault.Of(exception));
            await Task.Delay(CoolOff, _time);
            if (Volatile.Read(ref _used) == options)
            {
                _ = Task.Run(() => ConnectAsync(options));
            }
        }
    }

    private async Task EnterConnectedAsync(ConnectionMultiplexer multiplexer, string reason, bool isForCommands)
    {
        if (Volatile.Read(ref _multiplexer) != multiplexer)
        {
            return;
        }

        if (multiplexer.IsConnected)
        {
            if (isForCommands)
            {
                _ = CheckRightsAsync();
            }

            Enter(RedisState.Up, reason);
            Connected?.Invoke(this, EventArgs.Empty);
        }
        else if (await WhyNotConnectedAsync(multiplexer) is var why && !multiplexer.IsConnected)
        {
            // Not if the connection for commands was restored meanwhile, after that for messages.
            Enter(RedisState.Down, why);
        }
    }

    /// <summary>The client keeps the cause for the next command, which fails of it.</summary>
    private async Task<RedisFault> WhyNotConnectedAsync(ConnectionMultiplexer multiplexer)
    {
        Task? ping = null;
        try
        {
            ping = multiplexer.GetDatabase().PingAsync();
            await ping.WaitAsync(_options.CurrentValue.OperationTimeout, _time);
        }
        catch (RedisConnectionException exception) when (RedisFault.Of(exception) is { Reason: RedisFault.Credentials or RedisFault.Certificate } fault)
        {
            return fault;
        }
        catch (Exception)
        {
            Observe(ping);
        }

        return NotConnected;
    }

    /// <summary>One log line for an ACL that is narrower than what the gateway does, whenever that changes.</summary>
    private async Task CheckRightsAsync()
    {
        var prefix = _options.CurrentValue.KeyPrefix;
        var (done, forbidden) = await TryAsync("EVAL", RedisRights.KeyOf(prefix), database => RedisRights.ForbiddenAsync(database, prefix));
        if (done && string.Join(", ", forbidden!) is var now && Interlocked.Exchange(ref _forbidden, now) != now && now.Length > 0)
        {
            Log.Forbidden(_logger, now);
        }
    }

    /// <summary>
    /// Where a key lies in a cluster; elsewhere the same for all. What lies on a node that cannot be reached the client would ask others
    /// for, which send it back there, until it times out: here it is known that it cannot be had, and looked for whether it has moved.
    /// </summary>
    private (string Node, bool IsConnected) NodeOf(ConnectionMultiplexer multiplexer, RedisKey key)
    {
        try
        {
            if (!IsCluster(multiplexer))
            {
                return (string.Empty, true);
            }

            var chosen = multiplexer.GetServer(key);
            var owner = chosen.ClusterConfiguration?.GetBySlot(key)?.EndPoint;
            if (owner is null || owner.Equals(chosen.EndPoint) || !Array.Exists(multiplexer.GetServers(), server => !server.IsConnected && owner.Equals(server.EndPoint)))
            {
                return (NameOf(chosen.EndPoint), true);
            }

            LookForMoved(multiplexer);
            return (NameOf(owner), false);
        }
        catch (Exception)
        {
            // There is none that could be asked for it.
            LookForMoved(multiplexer);
            return (string.Empty, false);
        }
    }

    /// <summary>A replica may have taken the place of a primary that was lost, or that is a replica now; the client itself looks once a minute.</summary>
    private void LookForMoved(ConnectionMultiplexer multiplexer)
    {
        // Of one alone nothing can have moved, and to look makes it unselectable for a while if it is slow to answer.
        if (multiplexer.GetEndPoints().Length < 2)
        {
            return;
        }

        var (now, last) = (_time.GetTimestamp(), Volatile.Read(ref _lookedAt));
        if ((last == 0 || _time.GetElapsedTime(last, now) >= LookInterval) && Interlocked.CompareExchange(ref _lookedAt, now, last) == last)
        {
            Observe(Task.Run(() => multiplexer.ConfigureAsync()));
        }
    }

    private static bool IsCluster(ConnectionMultiplexer multiplexer) => multiplexer.GetHashSlot("any") >= 0;

    private static string NameOf(EndPoint? node) => node?.ToString() ?? string.Empty;

    /// <summary>Redis, or of a cluster a node, is not in use. One log line until it is again.</summary>
    private void Lose(ConnectionMultiplexer multiplexer, string node, RedisFault fault)
    {
        if (!IsCluster(multiplexer))
        {
            if (fault.Kind != RedisFaultKind.Unreachable || !multiplexer.IsConnected)
            {
                Enter(RedisState.Down, fault);
            }

            return;
        }

        if (_lost.TryAdd(node, value: true))
        {
            Log.NodeLost(_logger, node, fault.Reason, fault.Advice);
        }

        if (!Array.Exists(multiplexer.GetServers(), server => server is { IsConnected: true, IsReplica: false } && !_lost.ContainsKey(NameOf(server.EndPoint))))
        {
            Enter(RedisState.Down, fault);
        }
    }

    private void Find(string node)
    {
        if (_lost.ContainsKey(node) && _lost.TryRemove(node, out _))
        {
            Log.NodeFound(_logger, node);
        }
    }

    private void Enter(RedisState state, RedisFault fault) => Enter(state, fault.Reason, fault.Advice);

    /// <summary>One log line per change of state, and one more where it turns out that somebody has to change the configuration.</summary>
    private void Enter(RedisState state, string reason, string advice = "")
    {
        var isChange = Interlocked.Exchange(ref _state, (int)state) != (int)state;
        if (!isChange && (state != RedisState.Down || reason is not (RedisFault.Credentials or RedisFault.Certificate)))
        {
            return;
        }

        if (Interlocked.Exchange(ref _said, reason) == reason && !isChange)
        {
            return;
        }

        if (state == RedisState.Up)
        {
            Log.Up(_logger, reason);
        }
        else
        {
            Log.Down(_logger, reason, advice);
        }
    }

    /// <summary>A command that was given up may still fail later; nobody else will look.</summary>
    private static void Observe(Task? abandoned) =>
        _ = abandoned?.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Information, "Redis:ConnectionString is empty: tokens are kept in this replica's memory only")]
        public static partial void Off(ILogger logger);

        [LoggerMessage(2002, LogLevel.Information, "Redis is in use ({Reason})")]
        public static partial void Up(ILogger logger, string reason);

        [LoggerMessage(2003, LogLevel.Warning, "Redis is not in use ({Reason}): this replica goes on with its own memory. {Advice}")]
        public static partial void Down(ILogger logger, string reason, string advice);

        [LoggerMessage(2004, LogLevel.Warning, "Redis refuses commands ({Reason}), and what it still does is used. {Advice}")]
        public static partial void Refuses(ILogger logger, string reason, string advice);

        [LoggerMessage(2006, LogLevel.Warning, "The node {Node} of the Redis Cluster is not in use ({Reason}): for what lies there this replica goes on with its own memory. {Advice}")]
        public static partial void NodeLost(ILogger logger, string node, string reason, string advice);

        [LoggerMessage(2007, LogLevel.Information, "The node {Node} of the Redis Cluster is in use again")]
        public static partial void NodeFound(ILogger logger, string node);

        [LoggerMessage(2008, LogLevel.Warning, "Redis's ACL forbids to the gateway's user: {Commands}. What needs them fails, or is this replica's alone; docs/caching.md has the rule that is needed")]
        public static partial void Forbidden(ILogger logger, string commands);

        [LoggerMessage(2005, LogLevel.Information, "Redis accepts writes again")]
        public static partial void Accepts(ILogger logger);
    }
}

/// <summary>
/// Has the connection to Redis made when the host starts. Not the connection itself: the container would take it for made last, when
/// the host starts, and close it before those who still have a lease to give back.
/// </summary>
internal sealed class RedisStart(RedisConnection redis) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        redis.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal enum RedisState
{
    /// <summary>Not configured.</summary>
    Off,

    /// <summary>Configured; the first connection is still being made.</summary>
    Connecting,

    /// <summary>In use.</summary>
    Up,

    /// <summary>Configured and cannot be used for now.</summary>
    Down,
}
