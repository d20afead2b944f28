using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Catalog;

/// <summary>The prices of one request: every distinct SKU is looked up once, and what follows a trial one hop further.</summary>
/// <param name="lookUp">Asks for many SKUs at once, one task each in order; they never fail.</param>
internal sealed class PriceLookup(Func<IReadOnlyList<string>, IReadOnlyList<Task<UpstreamResult<PaymentwallProduct?>>>> lookUp)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<UpstreamResult<PaymentwallProduct?>>> _bySku = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _followed = new(StringComparer.Ordinal);

    public void Ask(IEnumerable<string> skus)
    {
        lock (_gate)
        {
            var asked = skus.Where(sku => !_followed.ContainsKey(sku)).Distinct(StringComparer.Ordinal).ToList();
            var found = LookUpOnce(asked);
            for (var index = 0; index < asked.Count; index++)
            {
                _followed.Add(asked[index], FollowAsync(found[index]));
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
            // Not awaited here: CloseAsync does that for everything there is.
            lock (_gate)
            {
                LookUpOnce([next]);
            }
        }
    }

    /// <summary>Only with the gate held.</summary>
    private List<Task<UpstreamResult<PaymentwallProduct?>>> LookUpOnce(List<string> skus)
    {
        var missing = skus.FindAll(sku => !_bySku.ContainsKey(sku));
        var found = lookUp(missing);
        for (var index = 0; index < missing.Count; index++)
        {
            _bySku.Add(missing[index], found[index]);
        }

        return skus.ConvertAll(sku => _bySku[sku]);
    }
}
