using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Problems;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>Components and prices, cached: what the catalog asks instead of the upstreams themselves.</summary>
internal sealed partial class CatalogDataCache : IAsyncDisposable
{
    /// <summary>Components of different requests that are asked for at once; there are few products.</summary>
    private const int MaxComponentLoads = 32;

    /// <summary>What a load may take beyond its call: waiting for a token, or for a second call with another one.</summary>
    private static readonly TimeSpan LoadAllowance = TimeSpan.FromSeconds(1);

    private readonly BillingClient _billing;
    private readonly PaymentwallClient _paymentwall;
    private readonly TwoLevelCache<IReadOnlyList<BillingComponent>?> _components;
    private readonly TwoLevelCache<PaymentwallProduct?> _prices;

    public CatalogDataCache(
        BillingClient billing,
        PaymentwallClient paymentwall,
        IOptions<BillingOptions> billingOptions,
        IOptions<PaymentwallOptions> paymentwallOptions,
        IServiceProvider services)
    {
        _billing = billing;
        _paymentwall = paymentwall;
        _components = ActivatorUtilities.CreateInstance<TwoLevelCache<IReadOnlyList<BillingComponent>?>>(
            services,
            new TwoLevelCacheOptions<IReadOnlyList<BillingComponent>?>(
                "components", CacheContext.Default.IReadOnlyListBillingComponent!, billingOptions.Value.EffectiveTimeout + LoadAllowance, MaxComponentLoads,
                HasInventedKeys: true));
        _prices = ActivatorUtilities.CreateInstance<TwoLevelCache<PaymentwallProduct?>>(
            services,
            new TwoLevelCacheOptions<PaymentwallProduct?>(
                "price", CacheContext.Default.PaymentwallProduct!, paymentwallOptions.Value.EffectiveTimeout + LoadAllowance, paymentwallOptions.Value.MaxConcurrency));
    }

    /// <summary>How often something that an answer may be made of has changed.</summary>
    public long Version => _components.Version + _prices.Version;

    /// <summary>Look-ups and refreshes under way.</summary>
    public int InFlight => _components.InFlight + _prices.InFlight;

    /// <summary>Watches what the answer to the request is made of; begin it before asking.</summary>
    public ChangeStamp Watch(ComponentsRequest request) => _components.Watch(Key(request));

    /// <inheritdoc cref="Watch(ComponentsRequest)"/>
    public ChangeStamp Watch(PriceRequest request) => _prices.Watch(Key(request));

    /// <summary>What opened the circuit of the prices; null while it is closed.</summary>
    public UpstreamFailure? PriceCircuitCause => _paymentwall.CircuitCause;

    /// <summary>What a purge calls the components of a product.</summary>
    public static string ProductTag(string productId) => "product:" + productId;

    /// <summary>What a purge calls the prices of a SKU in all countries.</summary>
    public static string SkuTag(string sku) => "sku:" + sku;

    /// <summary>A null value means that Billing knows no such product.</summary>
    public Task<CacheResult<IReadOnlyList<BillingComponent>?>> ComponentsAsync(ComponentsRequest request, CancellationToken abandoned) =>
        _components.GetMany([Query(request)], abandoned)[0];

    /// <summary>What is known of a product without asking anybody.</summary>
    public bool TryPeek(ComponentsRequest request, out IReadOnlyList<BillingComponent>? components) => _components.TryPeek(Query(request), out components);

    /// <summary>What is known of a price without asking anybody.</summary>
    public bool TryPeek(PriceRequest request, out PaymentwallProduct? product) => _prices.TryPeek(Query(request), out product);

    /// <summary>One task per request, in order; a null value means that the SKU is not sold in that country.</summary>
    public IReadOnlyList<Task<CacheResult<PaymentwallProduct?>>> Prices(IReadOnlyList<PriceRequest> requests, CancellationToken abandoned) =>
        _prices.GetMany([.. requests.Select(Query)], abandoned);

    public async ValueTask DisposeAsync()
    {
        await _components.DisposeAsync();
        await _prices.DisposeAsync();
    }

    private CacheQuery<IReadOnlyList<BillingComponent>?> Query(ComponentsRequest request) =>
        new(Key(request), ProductTag(request.ProductId), (waits, token) => _billing.ListComponentsAsync(request, waits, token));

    private CacheQuery<PaymentwallProduct?> Query(PriceRequest request) =>
        new(Key(request), SkuTag(request.Sku), (waits, token) => _paymentwall.GetProductAsync(request, waits, token));

    private static string Key(ComponentsRequest request) =>
        $"{request.ProductId}|{request.Status}|{request.Language}|{(request.Sandbox ? "sandbox" : "live")}";

    private static string Key(PriceRequest request) => $"{request.Country}|{request.Sku}";

    [JsonSourceGenerationOptions(AllowDuplicateProperties = false)]
    [JsonSerializable(typeof(IReadOnlyList<BillingComponent>))]
    [JsonSerializable(typeof(PaymentwallProduct))]
    private sealed partial class CacheContext : JsonSerializerContext;
}
