using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Gateway.Caching;

/// <summary>
/// An entry as it lies in Redis: version (1 byte), epoch, stored at, fresh until, stale until (8 bytes each, big endian; times in Unix
/// milliseconds), then the value in JSON. The version is part of the key too, so that replicas of two versions never read each
/// other's entries during a rollout.
/// </summary>
internal static class CacheWire
{
    /// <summary>Raised whenever the header or the JSON of a cached value changes shape.</summary>
    public const byte Version = 1;

    private const int HeaderBytes = 1 + (4 * sizeof(long));

    public static byte[] Write<T>(CacheEntry<T> entry, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry.Value, type);
        var wire = new byte[HeaderBytes + json.Length];
        wire[0] = Version;
        long[] header =
        [
            entry.Epoch, entry.StoredAt.ToUnixTimeMilliseconds(), entry.FreshUntil.ToUnixTimeMilliseconds(), entry.StaleUntil.ToUnixTimeMilliseconds(),
        ];
        for (var field = 0; field < header.Length; field++)
        {
            BinaryPrimitives.WriteInt64BigEndian(wire.AsSpan(1 + (field * sizeof(long))), header[field]);
        }

        json.CopyTo(wire, HeaderBytes);
        return wire;
    }

    /// <summary>Null if this is not an entry of this version.</summary>
    public static CacheEntry<T>? Read<T>(byte[]? wire, JsonTypeInfo<T> type)
    {
        if (wire is null || wire.Length < HeaderBytes || wire[0] != Version)
        {
            return null;
        }

        try
        {
            var value = JsonSerializer.Deserialize(wire.AsSpan(HeaderBytes), type)!;
            return new CacheEntry<T>(value, Time(1), Time(2), Time(3), Field(0));
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentOutOfRangeException)
        {
            return null;
        }

        long Field(int index) => BinaryPrimitives.ReadInt64BigEndian(wire.AsSpan(1 + (index * sizeof(long))));

        DateTimeOffset Time(int index) => DateTimeOffset.FromUnixTimeMilliseconds(Field(index));
    }
}
