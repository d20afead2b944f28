using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.RateLimiting;
using Gateway.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

/// <summary>
/// Who may wait for an upstream when too many do. Forwarded calls get at most three quarters of the slots, those to one upstream at
/// most half (so that one which hangs leaves room for the others), and never wait for one; catalog answers for which an upstream has
/// to be asked get all of them, and wait a moment in a small queue. A catalog answer that is ready, or made of what is in memory,
/// needs no slot, so it is the last thing to be refused: never. The last tenth of the slots is for clients that hold less than a tenth
/// of them, so that no client can take all; there is none where there are fewer than ten.
/// </summary>
internal sealed class UpstreamBulkhead : IDisposable
{
    /// <summary>How long one waits in the queue, which holds a tenth as many as there are slots, 200 at most.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly int _slots;
    private readonly int _fairShare;
    private readonly TimeProvider _time;
    private readonly ConcurrencyLimiter _all;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _heldBy = new(StringComparer.Ordinal);
    private int _held;
    private readonly Share _forwarded;
    private readonly ConcurrentDictionary<string, Share> _upstreams = new(StringComparer.OrdinalIgnoreCase);

    public UpstreamBulkhead(IOptions<SecurityOptions> options, TimeProvider time)
    {
        _time = time;
        var slots = _slots = options.Value.MaxConcurrentRequests;
        _fairShare = slots / 10;
        _all = new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = slots, QueueLimit = Math.Min(200, Math.Max(1, slots / 10)) });
        _forwarded = new Share(Math.Max(1, slots * 3 / 4));
    }

    /// <summary>How many wait for an upstream now.</summary>
    public long InUse => _slots - (_all.GetStatistics()?.CurrentAvailablePermits ?? _slots);

    /// <summary>A slot for a call that is forwarded, to be disposed of when it is done; null if there is none.</summary>
    /// <param name="upstream">Where to: the name of its cluster. There are as many shares as clusters have ever been configured.</param>
    /// <param name="client">Who asks (<see cref="ClientIdentity"/>).</param>
    public IDisposable? TryEnterForwarded(string upstream, string client)
    {
        var share = _upstreams.GetOrAdd(upstream, static (_, slots) => new Share(Math.Max(1, slots / 2)), _slots);
        if (!_forwarded.TryEnter())
        {
            return null;
        }

        if (share.TryEnter())
        {
            if (TryEnter(client) is { } slot)
            {
                return new Forwarded(slot, share, _forwarded);
            }

            share.Leave();
        }

        _forwarded.Leave();
        return null;
    }

    /// <summary>A slot for a catalog answer that is not ready, if there is one at once.</summary>
    /// <param name="client">Who asks.</param>
    public IDisposable? TryEnter(string client) => TryHold(client) ? Acquired(_all.AttemptAcquire(), client) : null;

    /// <summary>A slot for a catalog answer that is not ready, to be disposed of when it is done; null if there is none.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="cancellationToken">The client leaves.</param>
    public async ValueTask<IDisposable?> EnterAsync(string client, CancellationToken cancellationToken)
    {
        if (TryEnter(client) is { } atOnce)
        {
            return atOnce;
        }

        if (!TryHold(client))
        {
            return null;
        }

        using var patience = new CancellationTokenSource(LongestWait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return Acquired(await _all.AcquireAsync(permitCount: 1, either.Token), client);
        }
        catch (OperationCanceledException)
        {
            Release(client);
            return cancellationToken.IsCancellationRequested ? throw new OperationCanceledException(cancellationToken) : null;
        }
    }

    public void Dispose() => _all.Dispose();

    private Slot? Acquired(RateLimitLease lease, string client)
    {
        if (lease.IsAcquired)
        {
            return new Slot(this, client, lease);
        }

        lease.Dispose();
        Release(client);
        return null;
    }

    /// <summary>Counts those that wait in the queue, too.</summary>
    private bool TryHold(string client)
    {
        lock (_gate)
        {
            var held = _heldBy.GetValueOrDefault(client);
            if (_fairShare > 0 && held >= _fairShare && _held >= _slots - _fairShare)
            {
                return false;
            }

            _heldBy[client] = held + 1;
            _held++;
            return true;
        }
    }

    private void Release(string client)
    {
        lock (_gate)
        {
            _held--;
            if (--CollectionsMarshal.GetValueRefOrNullRef(_heldBy, client) == 0)
            {
                _heldBy.Remove(client);
            }
        }
    }

    private sealed class Slot(UpstreamBulkhead slots, string client, RateLimitLease lease) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
            {
                lease.Dispose();
                slots.Release(client);
            }
        }
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
