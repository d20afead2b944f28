namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// What a gateway must be able to answer without anybody's help. A part (the components of a product in a language, live or sandbox;
/// the price of a SKU in a country) is warm at a process if this very process has put it into an answer, whole and found, since it
/// started and since the last hard purge that touched it was over. Nothing else is assumed: not that it could be had from Redis, nor
/// that another replica has it.
/// </summary>
internal sealed class WarmthLedger
{
    /// <summary>Requests that began before a purge may come in this much later.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Instance, Part Part), (DateTimeOffset SentAt, DateTimeOffset ReceivedAt)> _held = [];
    private readonly List<Purge> _purges = [];

    /// <summary>An answer of the process had the part.</summary>
    public void Hold(string instance, Part part, DateTimeOffset sentAt, DateTimeOffset receivedAt)
    {
        lock (_gate)
        {
            if (!_purges.Exists(purge => purge.Hits(instance, part) && !(purge.Until < sentAt)))
            {
                _held.TryAdd((instance, part), (sentAt, receivedAt));
            }
        }
    }

    /// <summary>Since when, by the first answer that had it; null if it need not be there, or that answer was not in before the question was sent.</summary>
    public DateTimeOffset? WarmSince(string instance, Part part, DateTimeOffset sentAt)
    {
        lock (_gate)
        {
            return _held.TryGetValue((instance, part), out var held) && held.ReceivedAt <= sentAt ? held.SentAt : null;
        }
    }

    /// <summary>Begins a hard purge; parts become warm again by answers that were asked for after its end.</summary>
    /// <param name="kind">Null: everything.</param>
    /// <param name="name">The product or SKU.</param>
    /// <param name="instance">Null: every process.</param>
    /// <param name="now">Before it was asked for.</param>
    public Purge Begin(string? kind, string? name, string? instance, DateTimeOffset now)
    {
        var purge = new Purge(kind, name, instance);
        lock (_gate)
        {
            _purges.RemoveAll(past => past.Until < now - Remembered);
            _purges.Add(purge);
            foreach (var held in _held.Keys.Where(held => purge.Hits(held.Instance, held.Part)).ToList())
            {
                _held.Remove(held);
            }
        }

        return purge;
    }

    /// <summary>The process is gone.</summary>
    public void Forget(string instance)
    {
        lock (_gate)
        {
            foreach (var held in _held.Keys.Where(held => held.Instance == instance).ToList())
            {
                _held.Remove(held);
            }
        }
    }

    /// <param name="Kind"><c>components</c> or <c>price</c>.</param>
    /// <param name="Name">The product or SKU.</param>
    /// <param name="Variant">Language and sandbox, or country.</param>
    internal readonly record struct Part(string Kind, string Name, string Variant);

    internal sealed record Purge(string? Kind, string? Name, string? Instance)
    {
        private long _until = DateTimeOffset.MaxValue.UtcTicks;

        /// <summary>When every process must have heard of it.</summary>
        public DateTimeOffset Until => new(Volatile.Read(ref _until), TimeSpan.Zero);

        public void End(DateTimeOffset until) => Volatile.Write(ref _until, until.UtcTicks);

        public bool Hits(string instance, Part part) =>
            (Instance is null || Instance == instance) && (Kind is null || (Kind == part.Kind && Name == part.Name));
    }
}
