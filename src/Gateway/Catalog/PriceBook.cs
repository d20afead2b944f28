using Gateway.Upstreams;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Catalog;

/// <summary>The prices of one question: every distinct SKU is looked up once, and what follows a trial one hop further.</summary>
/// <param name="lookUp">Asks for one SKU; never throws.</param>
internal sealed class PriceBook(Func<string, Task<UpstreamResult<PaymentwallProduct?>>> lookUp)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<UpstreamResult<PaymentwallProduct?>>> _bySku = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _followed = new(StringComparer.Ordinal);

    public void Ask(string sku)
    {
        lock (_gate)
        {
            if (!_followed.ContainsKey(sku))
            {
                _followed.Add(sku, FollowAsync(Once(sku)));
            }
        }
    }

    /// <summary>Everything asked for, once all of it is there. Nothing may be asked after this.</summary>
    public async Task<IReadOnlyDictionary<string, UpstreamResult<PaymentwallProduct?>>> CloseAsync()
    {
        await Task.WhenAll(_followed.Values);
        var found = new Dictionary<string, UpstreamResult<PaymentwallProduct?>>(_bySku.Count, StringComparer.Ordinal);
        foreach (var (sku, result) in _bySku)
        {
            found.Add(sku, await result);
        }

        return found;
    }

    private async Task FollowAsync(Task<UpstreamResult<PaymentwallProduct?>> asked)
    {
        if ((await asked).TryGet(out var product, out _) && product is { IsTrial: true, PostTrialSku: { } next })
        {
            await Once(next);
        }
    }

    private Task<UpstreamResult<PaymentwallProduct?>> Once(string sku)
    {
        lock (_gate)
        {
            if (!_bySku.TryGetValue(sku, out var task))
            {
                task = lookUp(sku);
                _bySku.Add(sku, task);
            }

            return task;
        }
    }
}
