using System.Collections.Concurrent;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>The whole matrix, tried once for all tests: most of it is waiting, so several lanes run side by side.</summary>
public sealed class MatrixRun : IAsyncLifetime
{
    private const int Lanes = 4;

    private readonly ConcurrentDictionary<MatrixFault, IReadOnlyList<Observation>> _seen = new();
    private readonly ConcurrentDictionary<MatrixFault, Exception> _failed = new();

    public async ValueTask InitializeAsync()
    {
        if (!RedisServerProcess.IsInstalled)
        {
            return;
        }

        var waiting = new ConcurrentQueue<MatrixFault>(MatrixFault.All.Where(IsWanted));
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => RunAsync(waiting)));
        await MatrixTable.WriteAsync(this);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>The observation of a cell.</summary>
    internal Observation Of(MatrixFault fault, MatrixState state)
    {
        Assert.SkipUnless(RedisServerProcess.IsInstalled, "There is no redis-server on this machine to be broken.");
        Assert.SkipUnless(IsWanted(fault), "FAULT_MATRIX asks for others.");
        return _failed.TryGetValue(fault, out var exception)
            ? throw new InvalidOperationException($"{fault.Dependency}, {fault.Name}: {exception.Message}", exception)
            : _seen[fault][(int)state];
    }

    /// <summary>While working on it: <c>FAULT_MATRIX=Redis</c>, or a part of a fault's name.</summary>
    internal static bool IsWanted(MatrixFault fault) =>
        System.Environment.GetEnvironmentVariable("FAULT_MATRIX") is not { Length: > 0 } wanted
        || $"{fault.Dependency} {fault.Name}".Contains(wanted, StringComparison.OrdinalIgnoreCase);

    private async Task RunAsync(ConcurrentQueue<MatrixFault> waiting)
    {
        await using var lane = await MatrixLane.StartAsync();
        while (waiting.TryDequeue(out var fault))
        {
            try
            {
                _seen[fault] = await lane.TryAsync(fault);
            }
            catch (Exception exception) when (exception is not OperationCanceledException || !TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                // Also what the leak scanner finds when the gateway ends. The other cells are tried all the same.
                _failed[fault] = exception;
            }
        }
    }
}
