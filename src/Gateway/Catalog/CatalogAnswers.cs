using System.Diagnostics;
using Gateway.Caching;
using Gateway.Telemetry;
using Microsoft.Extensions.Caching.Memory;

namespace Gateway.Catalog;

/// <summary>
/// Finished answers, ready as bytes. One is reused while it is fresh; one that is incomplete or made of stale parts only while none of
/// its parts has changed, and for 5 s at most. Otherwise it is put together anew, once for all who wait, which with everything in
/// memory is a matter of microseconds. A purge makes all of them anew.
/// </summary>
internal sealed class CatalogAnswers(
    CatalogAggregator aggregator, PriceDrift drift, PurgeLedger ledger, IMemoryCache memory, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Key, long Epoch), Assembling> _assembling = [];

    /// <summary>An answer that is as good as a new one would be; null if there is none.</summary>
    public ReadyAnswer? TryGetReady(CatalogQuestion question) =>
        memory.TryGetValue(question.Key, out ReadyAnswer? ready) && IsCurrent(ready!) ? ready : null;

    /// <summary>A new answer would be put together of what is in memory.</summary>
    public bool IsAtHand(CatalogQuestion question) => aggregator.IsAtHand(question);

    /// <summary>
    /// A new answer, made once for all who ask for it at the same time. The making ends when the last of them leaves: calls under way go
    /// on for the cache, no other begins, and what it took to wait is free for others.
    /// </summary>
    public async Task<CatalogOutcome> AssembleAsync(CatalogQuestion question, CancellationToken cancellationToken)
    {
        var assembling = JoinOrBegin(question);
        try
        {
            return await assembling.Outcome.WaitAsync(cancellationToken);
        }
        finally
        {
            Leave(assembling);
        }
    }

    private bool IsCurrent(ReadyAnswer answer) =>
        time.GetUtcNow() < answer.UsableUntil
        && answer.Epoch == ledger.Epoch
        && answer.IsUnchanged;

    private Assembling JoinOrBegin(CatalogQuestion question)
    {
        lock (_gate)
        {
            var flight = (question.Key, ledger.Epoch);
            if (!_assembling.TryGetValue(flight, out var assembling))
            {
                assembling = new Assembling(flight);
                assembling.Outcome = Task.Run(() => AssembleAsync(question, assembling));
                _assembling.Add(flight, assembling);
            }

            assembling.Waiting++;
            return assembling;
        }
    }

    private void Leave(Assembling assembling)
    {
        lock (_gate)
        {
            if (--assembling.Waiting > 0 || assembling.Outcome.IsCompleted)
            {
                return;
            }

            // Who comes now begins another.
            Forget(assembling);
        }

        assembling.Cancel();
    }

    private async Task<CatalogOutcome> AssembleAsync(CatalogQuestion question, Assembling assembling)
    {
        using var span = Metrics.Traces.StartActivity("catalog");
        var seen = new Timeline();
        Timeline.Current = seen;
        try
        {
            var assembly = await aggregator.AssembleAsync(question, assembling.Token);
            if (assembly.Response is not { } response)
            {
                span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", assembly.Problem!.Code);
                return new CatalogOutcome(Answer: null, assembly.Problem, IsHit: false, seen);
            }

            span?.SetTag("gateway.catalog.items", response.Total).SetTag("gateway.catalog.complete", response.Completeness.Complete);

            drift.Observe(question, response);
            var answer = new ReadyAnswer(assembly, response, time.GetUtcNow(), assembling.Flight.Epoch);

            // What is missing because nobody waited for it is nothing to be shown to others.
            if (!assembling.IsCancellationRequested)
            {
                Keep(assembling.Flight.Key, answer);
            }

            return new CatalogOutcome(answer, Problem: null, IsHit: !assembly.Loaded, seen);
        }
        finally
        {
            lock (_gate)
            {
                Forget(assembling);
            }
        }
    }

    private void Forget(Assembling assembling)
    {
        if (_assembling.TryGetValue(assembling.Flight, out var current) && ReferenceEquals(current, assembling))
        {
            _assembling.Remove(assembling.Flight);
        }
    }

    private void Keep(string key, ReadyAnswer answer)
    {
        using var slot = memory.CreateEntry(key);
        slot.Value = answer;

        // With both compressed bodies, which are about a tenth each.
        slot.Size = answer.Identity.Length * 5L / 4;
        slot.AbsoluteExpirationRelativeToNow = TimeSpan.FromTicks(Math.Max(1, (answer.UsableUntil - answer.BuiltAt).Ticks));
    }

    /// <summary>An answer that is being put together; cancelled when the last who waited has left.</summary>
    private sealed class Assembling((string Key, long Epoch) flight) : CancellationTokenSource
    {
        public (string Key, long Epoch) Flight => flight;

        public Task<CatalogOutcome> Outcome { get; set; } = null!;

        /// <summary>How many wait for it.</summary>
        public int Waiting { get; set; }
    }
}
