using System.Runtime.InteropServices;
using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// How a replica leaves without losing a request. On SIGTERM or Ctrl-C: (1) <c>/health/ready</c> fails at once (the check
/// <c>draining</c>) and everything is still served for <c>Hosting:DrainDelay</c>, until the load balancers have noticed; every
/// answer meanwhile ends its connection (<see cref="DrainMiddleware"/>); (2) the server listens no more, and requests under way have
/// <c>Hosting:DrainTimeout</c> to finish; (3) leases are given back and the process ends with 0. The same signal again ends it at
/// once.
/// </summary>
internal sealed partial class Drain(
    IOptions<HostingOptions> options,
    IOptions<HostOptions> host,
    IHostEnvironment environment,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<Drain> logger) : IHostedLifecycleService, IDisposable
{
    private readonly List<IDisposable> _signals = [];
    private CancellationTokenRegistration _cutOff;
    private int _active;

    /// <summary>The replica has been told to stop.</summary>
    public bool HasBegun => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Requests under way.</summary>
    public int Active => Volatile.Read(ref _active);

    public void Enter() => Interlocked.Increment(ref _active);

    public void Leave() => Interlocked.Decrement(ref _active);

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // The host reads its options before ours are checked, and this one only when it stops.
        host.Value.ShutdownTimeout = options.Value.DelayIn(environment) + options.Value.DrainTimeout;
        _signals.Add(ExitOnSecond(PosixSignal.SIGTERM, exitCode: 143));
        _signals.Add(ExitOnSecond(PosixSignal.SIGINT, exitCode: 130));
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var delay = options.Value.DelayIn(environment);
        if (delay > TimeSpan.Zero)
        {
            Log.Delaying(logger, delay);
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Log.Finishing(logger, Active, options.Value.DrainTimeout);
        _cutOff = cancellationToken.Register(() => Log.CutOff(logger, Active, options.Value.DrainTimeout));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _cutOff.DisposeAsync();
        Log.Drained(logger);
    }

    public void Dispose()
    {
        _cutOff.Dispose();
        _signals.ForEach(signal => signal.Dispose());
    }

    /// <summary>Per signal: a shell sends SIGINT to all it started, and a script may follow with SIGTERM.</summary>
    private static PosixSignalRegistration ExitOnSecond(PosixSignal signal, int exitCode)
    {
        var received = 0;
        return PosixSignalRegistration.Create(signal, _ =>
        {
            if (Interlocked.Increment(ref received) > 1)
            {
                Environment.Exit(exitCode);
            }
        });
    }

    private static partial class Log
    {
        [LoggerMessage(5301, LogLevel.Information, "Draining: not ready any more, serving for another {Delay}")]
        public static partial void Delaying(ILogger logger, TimeSpan delay);

        [LoggerMessage(5302, LogLevel.Information, "Listening no more: {Requests} requests under way have {Timeout} to finish")]
        public static partial void Finishing(ILogger logger, int requests, TimeSpan timeout);

        [LoggerMessage(5303, LogLevel.Warning, "{Requests} requests had not finished after {Timeout} and were cut off")]
        public static partial void CutOff(ILogger logger, int requests, TimeSpan timeout);

        [LoggerMessage(5304, LogLevel.Information, "Drained")]
        public static partial void Drained(ILogger logger);
    }
}

internal static class DrainServiceCollectionExtensions
{
    public static IServiceCollection AddDrain(this IServiceCollection services)
    {
        services.AddOptionsSection<HostingOptions>(HostingOptions.Section, follows: true);
        services.AddSingleton<Drain>();
        services.AddHostedService(provider => provider.GetRequiredService<Drain>());
        return services;
    }
}
