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
    private readonly ConcurrentDictionary<(string Id, string Country), PriceDriftItem> _items = new();
    private readonly ConcurrentDictionary<string, PriceGap> _withoutSku = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Sku, string Country), PriceGap> _notFound = new();
    private DateTimeOffset _nextSweep = DateTimeOffset.MinValue;

    public int Count
    {
        get
        {
            Forget(_items, item => item.SeenAt);
            return _items.Count;
        }
    }

    public IReadOnlyList<PriceDriftItem> Items => Recent(_items, item => item.SeenAt, item => item.Id + item.Country);

    /// <summary>Components that no SKU is mapped to.</summary>
    public IReadOnlyList<PriceGap> WithoutSku => Recent(_withoutSku, gap => gap.SeenAt, gap => gap.Id);

    /// <summary>SKUs that Paymentwall does not sell in a country that was asked for.</summary>
    public IReadOnlyList<PriceGap> NotFound => Recent(_notFound, gap => gap.SeenAt, gap => gap.Sku + gap.Country);

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
            Keep(_withoutSku, item.Id, gap, now);
            return;
        }

        _withoutSku.TryRemove(item.Id, out _);
        if (item.Price.Status == PriceStatus.NotFound)
        {
            Keep(_notFound, (sku, country), gap, now);
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
            var isKnown = _items.TryGetValue(key, out var before) && before.ListAmountMinor == drift.ListAmountMinor && before.PriceAmountMinor == drift.PriceAmountMinor;
            isNews = Keep(_items, key, drift, now) && !isKnown;
        }

        if (isNews)
        {
            Metrics.PriceDriftChanges.Add(1);
            Log.Differ(logger, item.Id, country, drift.ListAmount, drift.PriceAmount, drift.Currency, drift.Period);
        }
    }

    private bool Keep<TKey, T>(ConcurrentDictionary<TKey, T> kept, TKey key, T value, DateTimeOffset now)
        where TKey : notnull
    {
        if (kept.Count >= MostEntries && !kept.ContainsKey(key))
        {
            Sweep(now);
            if (kept.Count >= MostEntries)
            {
                return false;
            }
        }

        kept[key] = value;
        return true;
    }

    private List<T> Recent<TKey, T>(ConcurrentDictionary<TKey, T> kept, Func<T, DateTimeOffset> seenAt, Func<T, string?> order)
        where TKey : notnull
    {
        Forget(kept, seenAt);
        return [.. kept.Values.OrderBy(order, StringComparer.Ordinal)];
    }

    /// <summary>Not for every item that finds no room: a catalog can have more gaps than are kept.</summary>
    private void Sweep(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (now < _nextSweep)
            {
                return;
            }

            _nextSweep = now + SweepEvery;
        }

        Forget(_items, item => item.SeenAt);
        Forget(_withoutSku, gap => gap.SeenAt);
        Forget(_notFound, gap => gap.SeenAt);
    }

    private void Forget<TKey, T>(ConcurrentDictionary<TKey, T> kept, Func<T, DateTimeOffset> seenAt)
        where TKey : notnull
    {
        var since = time.GetUtcNow() - Forgotten;
        foreach (var (key, value) in kept.Where(pair => seenAt(pair.Value) < since))
        {
            kept.TryRemove(new KeyValuePair<TKey, T>(key, value));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4101, LogLevel.Warning, "The price of {ComponentId} in {Country} differs: Billing lists {ListAmount}, Paymentwall asks {PriceAmount} {Currency} per {Period}")]
        public static partial void Differ(ILogger logger, string componentId, string country, string? listAmount, string? priceAmount, string currency, string? period);

        [LoggerMessage(4102, LogLevel.Information, "The price of {ComponentId} in {Country} does not differ any more")]
        public static partial void Agree(ILogger logger, string componentId, string country);
    }
}
