using System.Collections.Concurrent;
using Gateway.Observability;

namespace Gateway.Catalog.Drift;

/// <summary>
/// Where two systems disagree about money: items whose list price in Billing and price in Paymentwall have the same currency and
/// period and differ, and what has no price because the mapping has a gap. Seen by this replica while it put answers together; what
/// has not been seen for a day is forgotten.
/// </summary>
internal sealed partial class PriceDrift(TimeProvider time, ILogger<PriceDrift> logger)
{
    /// <summary>Of each kind; more than any shop has that is not broken altogether.</summary>
    internal const int MostEntries = 5_000;

    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    /// <summary>How often room is looked for where there is none.</summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<(string Id, string Country), Seen<PriceDriftItem>> _items = new();
    private readonly ConcurrentDictionary<string, Seen<PriceGap>> _withoutSku = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Sku, string Country), Seen<PriceGap>> _notFound = new();
    private TimeSpan _nextSweep = TimeSpan.MinValue;

    public int Count
    {
        get
        {
            Forget(_items);
            return _items.Count;
        }
    }

    public IReadOnlyList<PriceDriftItem> Items => Recent(_items, item => item.Id + item.Country);

    /// <summary>Components that no SKU is mapped to.</summary>
    public IReadOnlyList<PriceGap> WithoutSku => Recent(_withoutSku, gap => gap.Id);

    /// <summary>SKUs that Paymentwall does not sell in a country that was asked for.</summary>
    public IReadOnlyList<PriceGap> NotFound => Recent(_notFound, gap => gap.Sku + gap.Country);

    /// <summary>Looks at an answer. Test data, other statuses and answers without prices say nothing.</summary>
    public void Observe(CatalogRequest request, CatalogResponse response)
    {
        if (request.IsPrivate || request.Prices == PriceMode.Skip)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var item in response.Items)
        {
            ObserveGap(item, request.Country, now);
            ObserveDrift(item, request.Country, now);
        }
    }

    private void ObserveGap(CatalogItem item, string country, DateTimeOffset now)
    {
        var gap = new PriceGap { Id = item.Id, Sku = item.Price.Sku, Country = item.Price.Sku is null ? null : country, SeenAt = now };
        if (item.Price.Sku is not { } sku)
        {
            Keep(_withoutSku, item.Id, gap);
            return;
        }

        _withoutSku.TryRemove(item.Id, out _);
        if (item.Price.Status == PriceStatus.NotFound)
        {
            Keep(_notFound, (sku, country), gap);
        }
        else if (item.Price.Status is PriceStatus.Live)
        {
            _notFound.TryRemove((sku, country), out _);
        }
    }

    /// <summary>The price to compare is the one that is paid in the end: after a trial, what follows it.</summary>
    private void ObserveDrift(CatalogItem item, string country, DateTimeOffset now)
    {
        var (list, price, then) = (item.Billing.ListPrice, item.Price, item.Price.Trial?.Then);
        var (status, minor, amount, currency, period) = then is null
            ? (price.Status, price.AmountMinor, price.Amount, price.Currency, price.Period)
            : (then.Status, then.AmountMinor, then.Amount, then.Currency, then.Period);
        if (status != PriceStatus.Live || list?.AmountMinor is not { } listed || minor is null)
        {
            return;
        }

        var key = (item.Id, country);
        if (list.Currency != currency || item.Billing.Period != period || listed == minor)
        {
            if (_items.TryRemove(key, out _))
            {
                Log.Agree(logger, item.Id, country);
            }

            return;
        }

        var drift = new PriceDriftItem
        {
            Id = item.Id,
            Sku = then?.Sku ?? price.Sku!,
            Country = country,
            Currency = currency!,
            Period = period?.Iso,
            ListAmount = list.Amount,
            ListAmountMinor = listed,
            PriceAmount = amount,
            PriceAmountMinor = minor.Value,
            SeenAt = now,
        };
        bool isNews;
        lock (_gate)
        {
            // Answers are put together side by side, and only one of them brings the news.
            var isKnown = _items.TryGetValue(key, out var before) && before.Value.ListAmountMinor == drift.ListAmountMinor && before.Value.PriceAmountMinor == drift.PriceAmountMinor;
            isNews = Keep(_items, key, drift) && !isKnown;
        }

        if (isNews)
        {
            Metrics.PriceDriftChanges.Add(1);
            Log.Differ(logger, item.Id, country, drift.ListAmount, drift.PriceAmount, drift.Currency, drift.Period);
        }
    }

    private bool Keep<TKey, T>(ConcurrentDictionary<TKey, Seen<T>> kept, TKey key, T value)
        where TKey : notnull
    {
        if (kept.Count >= MostEntries && !kept.ContainsKey(key))
        {
            Sweep();
            if (kept.Count >= MostEntries)
            {
                return false;
            }
        }

        kept[key] = new Seen<T>(value, time.Monotonic());
        return true;
    }

    private List<T> Recent<TKey, T>(ConcurrentDictionary<TKey, Seen<T>> kept, Func<T, string?> order)
        where TKey : notnull
    {
        Forget(kept);
        return [.. kept.Values.Select(seen => seen.Value).OrderBy(order, StringComparer.Ordinal)];
    }

    /// <summary>Not for every item that finds no room: a catalog can have more gaps than are kept.</summary>
    private void Sweep()
    {
        lock (_gate)
        {
            var now = time.Monotonic();
            if (now < _nextSweep)
            {
                return;
            }

            _nextSweep = now + SweepEvery;
        }

        Forget(_items);
        Forget(_withoutSku);
        Forget(_notFound);
    }

    private void Forget<TKey, T>(ConcurrentDictionary<TKey, Seen<T>> kept)
        where TKey : notnull
    {
        var since = time.Monotonic() - Forgotten;
        foreach (var one in kept.Where(pair => pair.Value.At < since))
        {
            kept.TryRemove(one);
        }
    }

    /// <summary>What was seen, and when by the monotonic clock; for show it has the wall time itself.</summary>
    private readonly record struct Seen<T>(T Value, TimeSpan At);

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Warning, "The price of {ComponentId} in {Country} differs: Billing lists {ListAmount}, Paymentwall asks {PriceAmount} {Currency} per {Period}")]
        public static partial void Differ(ILogger logger, string componentId, string country, string? listAmount, string? priceAmount, string currency, string? period);

        [LoggerMessage(4102, LogLevel.Information, "The price of {ComponentId} in {Country} does not differ any more")]
        public static partial void Agree(ILogger logger, string componentId, string country);
    }
}
