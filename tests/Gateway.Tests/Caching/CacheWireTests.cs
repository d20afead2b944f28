using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Iso;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Catalog;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Caching;

public sealed partial class CacheWireTests
{
    private static readonly TestClock Time = new();
    private static readonly DateTimeOffset At = Time.GetUtcNow();
    private static readonly TimeSpan Now = Time.Monotonic();

    [Fact]
    public void Times_and_epoch_come_back_as_they_were()
    {
        var read = RoundTrip<PaymentwallProduct?>(null, WireContext.Default.PaymentwallProduct!)!;

        Assert.Null(read.Value);
        Assert.Equal((At, Now, Now + TimeSpan.FromMinutes(1), Now + TimeSpan.FromHours(24), 7L), (read.AsOf, read.StoredAt, read.FreshUntil, read.StaleUntil, read.Epoch));
        Assert.False(read.RefreshFailed);
        Assert.True(read.MayRefresh(Now));
    }

    [Fact]
    public void A_price_comes_back_as_it_was()
    {
        var product = new PaymentwallProduct
        {
            Name = "Pro \"é\" 専 <b> 😀",
            Price = Given.Money("9.999", "KWD"),
            Period = Given.Period("month", 3),
            Recurring = true,
            IsTrial = true,
            PostTrialSku = "next|one",
            OldPrice = Given.Money("12", "KWD"),
        };

        Assert.Equal(product, RoundTrip(product, WireContext.Default.PaymentwallProduct)!.Value);
        Assert.Equal(Given.Product(), RoundTrip(Given.Product(), WireContext.Default.PaymentwallProduct)!.Value);
    }

    [Fact]
    public void A_largest_amount_comes_back_as_it_was()
    {
        Assert.True(Currency.TryGet("USD", out var dollar));
        var product = new PaymentwallProduct { Price = new Money(long.MaxValue, dollar) };

        Assert.Equal(product, RoundTrip(product, WireContext.Default.PaymentwallProduct)!.Value);
    }

    [Fact]
    public void That_a_product_is_unknown_or_has_no_components_are_different_things()
    {
        Assert.Null(RoundTrip<IReadOnlyList<BillingComponent>?>(null, WireContext.Default.IReadOnlyListBillingComponent!)!.Value);
        Assert.Empty(RoundTrip<IReadOnlyList<BillingComponent>>([], WireContext.Default.IReadOnlyListBillingComponent)!.Value);
    }

    [Fact]
    public void Components_from_Redis_make_the_same_bytes_as_components_from_Billing()
    {
        var json = """
            {"items":[
              {"id":"full-EUR-monthly","productId":"p","componentGroupId":"g","componentType":"plan","status":"active","pricingModel":"tiered",
               "isUsageBased":true,"price":9223372036854775807,"currency":"EUR","billingPeriodUnit":"month","trialPeriodValue":10,
               "trialPeriodUnit":"day","freeQuantity":5,"mandatoryComponentIds":["a","b"],
               "tiers":[{"upTo":10,"price":1.50},{"upTo":null,"price":1E3,"x":[true,false,{"é":"\u00e9\ud83d\ude00</script>"}]}, "text", null, 12345678901234567890.123456789],
               "zulu":{"b":1,"a":2},"alpha":"ä","ünknown":null,"Émile":-0.0,"price2":1.10},
              {"id":"bare"}]}
            """u8.ToArray();
        var components = BillingPayload.Read(json, "p")!;
        Assert.Equal(2, components.Count);

        var read = RoundTrip<IReadOnlyList<BillingComponent>>(components, WireContext.Default.IReadOnlyListBillingComponent)!.Value;

        Assert.Equal(Answer(components), Answer(read));
        Assert.Contains("12345678901234567890.123456789", Answer(read), StringComparison.Ordinal);
        Assert.Equal(["alpha", "price2", "zulu", "Émile", "ünknown"], read[0].Extensions!.Keys);
        Assert.Null(read[1].Extensions);
        Assert.Equal(components[0].BillingPeriod, read[0].BillingPeriod);
        Assert.Equal(long.MaxValue, read[0].PriceMinor);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    public void An_entry_of_another_version_is_none(byte version)
    {
        var wire = Wire();
        wire[0] = version;

        Assert.Null(CacheWire.Read(wire, WireContext.Default.PaymentwallProduct, Time));
    }

    [Fact]
    public void A_truncated_entry_is_none()
    {
        var wire = Wire();

        Assert.All(Enumerable.Range(0, wire.Length), length => Assert.Null(CacheWire.Read(wire[..length], WireContext.Default.PaymentwallProduct, Time)));
        Assert.Null(CacheWire.Read(null, WireContext.Default.PaymentwallProduct, Time));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"Price\":null}")]
    [InlineData("{\"Price\":{\"AmountMinor\":\"x\"}}")]
    [InlineData("{\"Name\":\"\\ud800\",\"Price\":{\"AmountMinor\":1,\"Currency\":{\"Code\":\"USD\",\"Exponent\":2}}}")]
    [InlineData("nonsense")]
    public void An_entry_whose_value_cannot_be_read_is_none(string json)
    {
        byte[] wire = [.. Wire().AsSpan(0, 33), .. Encoding.UTF8.GetBytes(json)];
        wire = [.. wire, .. SHA256.HashData(wire).AsSpan(0, 8)];

        Assert.Null(CacheWire.Read(wire, WireContext.Default.PaymentwallProduct, Time));
    }

    [Fact]
    public void An_entry_in_which_one_bit_is_wrong_is_none()
    {
        var wire = Wire();
        for (var bit = 0; bit < wire.Length * 8; bit++)
        {
            wire[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(CacheWire.Read(wire, WireContext.Default.PaymentwallProduct, Time));
            wire[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.NotNull(CacheWire.Read(wire, WireContext.Default.PaymentwallProduct, Time));
    }

    private static byte[] Wire() => CacheWire.Write(Entry(Given.Product()), WireContext.Default.PaymentwallProduct);

    private static CacheEntry<T> Entry<T>(T value) => new(value, At, Now, Now + TimeSpan.FromMinutes(1), Now + TimeSpan.FromHours(24), epoch: 7);

    private static CacheEntry<T>? RoundTrip<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        CacheWire.Read(CacheWire.Write(Entry(value), type), type, Time);

    private static string Answer(IReadOnlyList<BillingComponent> components) =>
        Given.Json(CatalogMerge.Merge(
            Given.Request() with { Prices = PriceMode.Skip },
            [new ProductListing("p", components), new ProductListing("q", [], Problem.ProductNotFound)],
            new Dictionary<string, Gateway.Problems.UpstreamResult<PaymentwallProduct?>>(StringComparer.Ordinal),
            Given.Rules()));

    [JsonSerializable(typeof(IReadOnlyList<BillingComponent>))]
    [JsonSerializable(typeof(PaymentwallProduct))]
    private sealed partial class WireContext : JsonSerializerContext;
}
