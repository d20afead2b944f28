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
    private readonly Dictionary<(string Key, long Epoch), Task<CatalogOutcome>> _assembling = [];

    /// <summary>An answer that is as good as a new one would be; null if there is none.</summary>
    public ReadyAnswer? TryGetReady(CatalogQuestion question) =>
        memory.TryGetValue(question.Key, out ReadyAnswer? ready) && IsCurrent(ready!) ? ready : null;

    /// <summary>A new answer would be put together of what is in memory.</summary>
    public bool IsAtHand(CatalogQuestion question) => aggregator.IsAtHand(question);

    /// <summary>A new answer, made once for all who ask for it at the same time. The making goes on when a caller leaves.</summary>
    public Task<CatalogOutcome> AssembleAsync(CatalogQuestion question, CancellationToken cancellationToken) =>
        AssembleOnce(question, question.Key).WaitAsync(cancellationToken);

    private bool IsCurrent(ReadyAnswer answer) =>
        time.GetUtcNow() < answer.UsableUntil
        && answer.Epoch == ledger.Epoch
        && answer.IsUnchanged;

    private Task<CatalogOutcome> AssembleOnce(CatalogQuestion question, string key)
    {
        lock (_gate)
        {
            var flight = (key, ledger.Epoch);
            if (!_assembling.TryGetValue(flight, out var assembling))
            {
                assembling = Task.Run(() => AssembleAsync(question, flight));
                _assembling.Add(flight, assembling);
            }

            return assembling;
        }
    }

    private async Task<CatalogOutcome> AssembleAsync(CatalogQuestion question, (string Key, long Epoch) flight)
    {
        using var span = Metrics.Traces.StartActivity("catalog");
        var seen = new Timeline();
        Timeline.Current = seen;
        try
        {
            var assembly = await aggregator.AssembleAsync(question);
            if (assembly.Response is not { } response)
            {
                span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", assembly.Problem!.Code);
                return new CatalogOutcome(Answer: null, assembly.Problem, IsHit: false, seen);
            }

            span?.SetTag("gateway.catalog.items", response.Total).SetTag("gateway.catalog.complete", response.Completeness.Complete);

            drift.Observe(question, response);
            var answer = new ReadyAnswer(assembly, response, time.GetUtcNow(), flight.Epoch);
            Keep(flight.Key, answer);
            return new CatalogOutcome(answer, Problem: null, IsHit: !assembly.Loaded, seen);
        }
        finally
        {
            lock (_gate)
            {
                _assembling.Remove(flight);
            }
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
}
