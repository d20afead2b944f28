using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

/// <summary>
/// The one connection to Redis, and the rule that Redis may make the gateway slower but never stop it. A command is only issued
/// while connected (newer clients would queue it and run it much later), waits at most <c>Redis:OperationTimeout</c> (the client
/// notices its own asynchronous time-outs about once a second), and its failure puts the whole subsystem into a cool-off, so that
/// a Redis that accepts and never answers costs one short delay and not one per request.
/// </summary>
internal sealed partial class RedisConnection : IDisposable
{
    /// <summary>How long Redis is left alone after a command failed.</summary>
    internal static readonly TimeSpan CoolOff = TimeSpan.FromSeconds(5);

    /// <summary>For one attempt to connect, unless the connection string says otherwise; the client's own default is 5 s.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Scripts go out whole: one that the client believes a restarted Redis to know would fail.</summary>
    internal const CommandFlags ScriptFlags = CommandFlags.NoScriptCache;

    private const string CompareAndDelete = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";

    private readonly IOptions<RedisOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RedisConnection> _logger;
    private readonly ConcurrentBag<(string Channel, Action Received)> _subscriptions = [];
    private ConnectionMultiplexer? _multiplexer;
    private string _connectionString;
    private long _coolOffUntil;
    private int _state = (int)RedisState.Connecting;

    public RedisConnection(IOptions<RedisOptions> options, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _options = options;
        _connectionString = options.Value.ConnectionString;
        _time = time;
        _logger = logger;
        if (_connectionString.Length == 0)
        {
            _state = (int)RedisState.Off;
        }
    }

    /// <summary>The connection was made or restored.</summary>
    public event EventHandler? Connected;

    /// <summary>The connection was lost.</summary>
    public event EventHandler? Disconnected;

    public RedisState State => (RedisState)Volatile.Read(ref _state);

    private bool IsCooling => _time.GetTimestamp() < Volatile.Read(ref _coolOffUntil);

    /// <summary>Removes a key if it still holds exactly this.</summary>
    public async Task DeleteIfEqualAsync(RedisKey key, RedisValue value) =>
        await TryAsync("EVAL", database => database.ScriptEvaluateAsync(CompareAndDelete, [key], [value], ScriptFlags));

    /// <summary>Runs a command if Redis can be had. <c>Done</c> is false, and nothing is thrown, when it can not or did not answer.</summary>
    /// <param name="operation">The command's name, for traces.</param>
    /// <param name="command">Issues it, and reads the reply; one of another shape than the command's is an <see cref="InvalidCastException"/>.</param>
    /// <param name="parent">Of the command's span; by default what is current.</param>
    public async ValueTask<(bool Done, T? Value)> TryAsync<T>(string operation, Func<IDatabase, Task<T>> command, ActivityContext parent = default)
    {
        FollowConfiguration();
        if (Volatile.Read(ref _multiplexer) is not { } multiplexer || IsCooling)
        {
            return default;
        }

        if (!multiplexer.IsConnected)
        {
            Enter(RedisState.Down, "not connected");
            return default;
        }

        Task<T>? running = null;
        using var span = Metrics.Traces.StartActivity(operation, ActivityKind.Client, parent);
        span?.SetTag("db.system.name", "redis").SetTag("db.operation.name", operation);
        var started = _time.GetTimestamp();
        var outcome = "ok";
        try
        {
            running = command(multiplexer.GetDatabase());
            var value = await running.WaitAsync(_options.Value.OperationTimeout, _time);
            Enter(RedisState.Up, "answers");
            return (true, value);
        }
        catch (RedisConnectionException)
        {
            outcome = "unreachable";
            span?.SetStatus(ActivityStatusCode.Error);

            // Costs no time, and while a connection is being restored it passes: no reason for a cool-off.
            if (!multiplexer.IsConnected)
            {
                Enter(RedisState.Down, "not connected");
            }

            return default;
        }
        catch (Exception exception) when (exception is TimeoutException or RedisException or ObjectDisposedException or InvalidCastException)
        {
            outcome = exception is TimeoutException ? "timeout" : "error";
            span?.SetStatus(ActivityStatusCode.Error);
            Observe(running);
            Volatile.Write(ref _coolOffUntil, _time.GetTimestamp() + (long)(CoolOff.TotalSeconds * _time.TimestampFrequency));
            Enter(RedisState.Down, exception.GetType().Name);
            return default;
        }
        finally
        {
            Timeline.Current?.Add(Timeline.Cache, started, _time.GetTimestamp());
            Metrics.RedisDuration.Record(_time.GetElapsedTime(started).TotalSeconds, Metrics.Tag("outcome", outcome));
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
        _ = Task.Run(() => ConnectAsync(_connectionString));
    }

    public void Dispose() => Interlocked.Exchange(ref _multiplexer, value: null)?.Dispose();

    /// <summary>Another connection string (a new password, say): the old connection goes, a new one is made in the background.</summary>
    private void FollowConfiguration()
    {
        var (used, wanted) = (Volatile.Read(ref _connectionString), _options.Value.ConnectionString);
        if (used == wanted || Interlocked.CompareExchange(ref _connectionString, wanted, used) != used)
        {
            return;
        }

        var old = Interlocked.Exchange(ref _multiplexer, value: null);
        Enter(wanted.Length == 0 ? RedisState.Off : RedisState.Connecting, "other connection string");
        Disconnected?.Invoke(this, EventArgs.Empty);
        _ = Task.Run(async () =>
        {
            old?.Dispose();
            if (wanted.Length > 0)
            {
                await ConnectAsync(wanted);
            }
        });
    }

    private async Task ConnectAsync(string connectionString)
    {
        try
        {
            var configuration = ConfigurationOptions.Parse(connectionString);
            configuration.AbortOnConnectFail = false;
            configuration.ReconnectRetryPolicy = new LinearRetry(1_000);
            configuration.ClientName ??= "gateway";
            if (!connectionString.Contains("connectTimeout", StringComparison.OrdinalIgnoreCase))
            {
                configuration.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
            }

            var multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);
            multiplexer.ConnectionFailed += (_, args) =>
            {
                if (Volatile.Read(ref _multiplexer) != multiplexer)
                {
                    return;
                }

                // The client has a second connection for messages, and tells of attempts that failed after one succeeded.
                if (!multiplexer.IsConnected)
                {
                    Enter(RedisState.Down, args.FailureType.ToString());
                }

                Disconnected?.Invoke(this, EventArgs.Empty);
            };
            multiplexer.ConnectionRestored += (_, _) => EnterConnected(multiplexer, "restored");
            if (Volatile.Read(ref _connectionString) != connectionString)
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

            EnterConnected(multiplexer, "connected");
        }
        catch (Exception exception) when (exception is RedisException or InvalidOperationException or ArgumentException or SocketException)
        {
            // Rare: without a server the client returns and goes on trying by itself.
            Enter(RedisState.Down, exception.GetType().Name);
            await Task.Delay(CoolOff, _time);
            if (Volatile.Read(ref _connectionString) == connectionString)
            {
                _ = Task.Run(() => ConnectAsync(connectionString));
            }
        }
    }

    private void EnterConnected(ConnectionMultiplexer multiplexer, string reason)
    {
        if (Volatile.Read(ref _multiplexer) != multiplexer)
        {
            return;
        }

        if (multiplexer.IsConnected)
        {
            Enter(RedisState.Up, reason);
            Connected?.Invoke(this, EventArgs.Empty);
        }
        else
        {
            Enter(RedisState.Down, "not connected");
        }
    }

    /// <summary>One log line per change of state.</summary>
    private void Enter(RedisState state, string reason)
    {
        if (Interlocked.Exchange(ref _state, (int)state) == (int)state)
        {
            return;
        }

        if (state == RedisState.Up)
        {
            Log.Up(_logger, reason);
        }
        else
        {
            Log.Down(_logger, reason);
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

        [LoggerMessage(2003, LogLevel.Warning, "Redis is not in use ({Reason}): this replica goes on with its own memory")]
        public static partial void Down(ILogger logger, string reason);
    }
}
