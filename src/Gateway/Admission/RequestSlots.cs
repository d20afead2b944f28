using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Admission;

/// <summary>
/// Who may wait for an upstream when too many do. Forwarded calls get at most three quarters of the slots, those to one upstream at
/// most half (so that one which hangs leaves room for the others), and never wait for one; catalog answers for which an upstream has
/// to be asked get all of them, and wait a moment in a small queue. A catalog answer that is ready, or made of what is in memory,
/// needs no slot, so it is the last thing to be refused: never.
/// </summary>
internal sealed class RequestSlots : IDisposable
{
    /// <summary>How long one waits in the queue, which holds a tenth as many as there are slots, 200 at most.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly int _slots;
    private readonly TimeProvider _time;
    private readonly ConcurrencyLimiter _all;
    private readonly Share _forwarded;
    private readonly ConcurrentDictionary<string, Share> _upstreams = new(StringComparer.OrdinalIgnoreCase);

    public RequestSlots(IOptions<AdmissionOptions> options, TimeProvider time)
    {
        _time = time;
        var slots = _slots = options.Value.MaxConcurrentRequests;
        _all = new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = slots, QueueLimit = Math.Min(200, Math.Max(1, slots / 10)) });
        _forwarded = new Share(Math.Max(1, slots * 3 / 4));
    }

    /// <summary>How many wait for an upstream now.</summary>
    public long InUse => _slots - (_all.GetStatistics()?.CurrentAvailablePermits ?? _slots);

    /// <summary>A slot for a call that is forwarded, to be disposed of when it is done; null if there is none.</summary>
    /// <param name="upstream">Where to: the name of its cluster. There are as many shares as clusters have ever been configured.</param>
    public IDisposable? TryEnterForwarded(string upstream)
    {
        var share = _upstreams.GetOrAdd(upstream, static (_, slots) => new Share(Math.Max(1, slots / 2)), _slots);
        if (!_forwarded.TryEnter())
        {
            return null;
        }

        if (share.TryEnter())
        {
            if (TryEnter() is { } slot)
            {
                return new Forwarded(slot, share, _forwarded);
            }

            share.Leave();
        }

        _forwarded.Leave();
        return null;
    }

    /// <summary>A slot for a catalog answer that is not ready, if there is one at once.</summary>
    public IDisposable? TryEnter() => Acquired(_all.AttemptAcquire());

    /// <summary>A slot for a catalog answer that is not ready, to be disposed of when it is done; null if there is none.</summary>
    public async ValueTask<IDisposable?> EnterAsync(CancellationToken cancellationToken)
    {
        if (TryEnter() is { } atOnce)
        {
            return atOnce;
        }

        using var patience = new CancellationTokenSource(LongestWait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return Acquired(await _all.AcquireAsync(permitCount: 1, either.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => _all.Dispose();

    private static RateLimitLease? Acquired(RateLimitLease lease)
    {
        if (lease.IsAcquired)
        {
            return lease;
        }

        lease.Dispose();
        return null;
    }

    /// <summary>So many of the slots at most.</summary>
    private sealed class Share(int limit)
    {
        private int _used;

        public bool TryEnter()
        {
            if (Interlocked.Increment(ref _used) <= limit)
            {
                return true;
            }

            Leave();
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref _used);
    }

    private sealed class Forwarded(IDisposable slot, Share upstream, Share all) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
            {
                slot.Dispose();
                upstream.Leave();
                all.Leave();
            }
        }
    }
}
