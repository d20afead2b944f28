using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Gateway.Caching;
using Gateway.Observability;
using Gateway.Tests.Catalog;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Fuzzing;

public sealed partial class CacheWireFuzzTests
{
    private static readonly TestClock Time = new();
    private static readonly DateTimeOffset At = Time.GetUtcNow();

    private static readonly string[] Words =
    [
        "null", "[]", "[null]", "{", "}", "{\"Id\":\"x\",\"ProductId\":\"p\"}", "\"Price\":{\"AmountMinor\":1,\"Currency\":{\"Code\":\"USD\",\"Exponent\":2}}", "\"Exponent\":-5", "\"Currency\":null", "\"Tiers\":[{}]",
        "\"Extensions\":{\"a\":1}", "\\ud800", ",", ":", "\"", "[", "]", "\u007F\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF\u00FF", "\0\0\0\0\0\0\0\0",
    ];

    /// <summary>A case is changes to make to an entry as written.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task An_entry_is_read_as_it_was_written_or_not_at_all()
    {
        var product = Given.Product() with { Name = "caf\u00E9", OldPrice = Given.Money("12", "USD") };
        var components = BillingPayload.Read("""{"items":[{"id":"c-EUR-m","price":1000,"tiers":[{"upTo":10}],"new":{"a":1.50}},{"id":"d"}]}"""u8, "p")!;
        var price = Write(product, FuzzedEntriesContext.Default.PaymentwallProduct);
        var listing = Write(components, FuzzedEntriesContext.Default.IReadOnlyListBillingComponent);
        return FuzzRun.OfBytesAsync("cache-changes", ["\u0001", "\0\0", "\u00FF"], body =>
        {
            var one = TokenCipherFuzzTests.Changed(price, body);
            var other = TokenCipherFuzzTests.Changed(listing, body);
            var isSame = one.AsSpan().SequenceEqual(price);

            Assert.Equal(isSame ? product : null, CacheWire.Read(one, FuzzedEntriesContext.Default.PaymentwallProduct, Time)?.Value);
            Assert.Equal(
                other.AsSpan().SequenceEqual(listing) ? listing : null,
                CacheWire.Read(other, FuzzedEntriesContext.Default.IReadOnlyListBillingComponent, Time) is { } entry ? Write(entry.Value, FuzzedEntriesContext.Default.IReadOnlyListBillingComponent) : null);

            // An entry of the one kind is none of the other.
            Assert.Null(CacheWire.Read(one, FuzzedEntriesContext.Default.IReadOnlyListBillingComponent, Time));
            return !isSame;
        });
    }

    /// <summary>A case is the times and the value of an entry, closed as entries are by somebody who writes other things into them.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task Whatever_an_entry_is_made_of_it_is_read_for_what_it_is_or_is_none() => FuzzRun.OfBytesAsync("cache-values", Words, body =>
    {
        byte[] wire = [CacheWire.Version, .. body];
        wire = [.. wire, .. SHA256.HashData(wire).AsSpan(0, 8)];

        return IsReadForWhatItIs(wire, body, FuzzedEntriesContext.Default.PaymentwallProduct) | IsReadForWhatItIs(wire, body, FuzzedEntriesContext.Default.IReadOnlyListBillingComponent);
    });

    private static bool IsReadForWhatItIs<T>(byte[] wire, byte[] body, JsonTypeInfo<T> type)
    {
        if (CacheWire.Read(wire, type, Time) is not { } entry)
        {
            return false;
        }

        var asOf = entry.AsOf.ToUnixTimeMilliseconds();
        long[] header = [entry.Epoch, asOf, asOf + Milliseconds(entry.FreshUntil - entry.StoredAt), asOf + Milliseconds(entry.StaleUntil - entry.StoredAt)];
        Assert.Equal(header, Enumerable.Range(0, 4).Select(field => BinaryPrimitives.ReadInt64BigEndian(body.AsSpan(field * 8))));
        using var json = JsonDocument.Parse(body.AsMemory(32));
        Assert.Equal(
            json.RootElement.ValueKind,
            entry.Value is null ? JsonValueKind.Null : entry.Value is IReadOnlyList<BillingComponent> ? JsonValueKind.Array : JsonValueKind.Object);
        if (entry.Value is IReadOnlyList<BillingComponent> components)
        {
            Assert.Equal(json.RootElement.GetArrayLength(), components.Count);
        }

        return true;
    }

    private static long Milliseconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMillisecond;

    private static byte[] Write<T>(T value, JsonTypeInfo<T> type) =>
        CacheWire.Write(new CacheEntry<T>(value, At, Time.Monotonic(), Time.Monotonic() + TimeSpan.FromMinutes(1), Time.Monotonic() + TimeSpan.FromHours(24), epoch: 7), type);

    [JsonSerializable(typeof(IReadOnlyList<BillingComponent>))]
    [JsonSerializable(typeof(PaymentwallProduct))]
    private sealed partial class FuzzedEntriesContext : JsonSerializerContext;
}
