using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Observability;

namespace Gateway.Caching;

/// <summary>
/// An entry as it lies in Redis: version (1 byte), epoch, stored at, fresh until, stale until (8 bytes each, big endian; times in Unix
/// milliseconds), the value in JSON, then the first 8 bytes of the SHA-256 of all that: an entry in which a single digit was damaged
/// would still be JSON, and a price that nobody ever set. The version is part of the key too, so that replicas of two versions never
/// read each other's entries during a rollout.
/// </summary>
internal static class CacheWire
{
    /// <summary>Raised whenever the header or the JSON of a cached value changes shape.</summary>
    public const byte Version = 2;

    /// <summary>What is longer is not put into Redis, and nothing of ours if it lies there: it would keep the only connection to Redis busy.</summary>
    public const int MaxBytes = 8 * 1024 * 1024;

    private const int HeaderBytes = 1 + (4 * sizeof(long));
    private const int ChecksumBytes = 8;

    public static byte[] Write<T>(CacheEntry<T> entry, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(entry.Value, type);
        var wire = new byte[HeaderBytes + json.Length + ChecksumBytes];
        wire[0] = Version;
        long[] header =
        [
            entry.Epoch, entry.AsOf.ToUnixTimeMilliseconds(),
            (entry.AsOf + (entry.FreshUntil - entry.StoredAt)).ToUnixTimeMilliseconds(), (entry.AsOf + (entry.StaleUntil - entry.StoredAt)).ToUnixTimeMilliseconds(),
        ];
        for (var field = 0; field < header.Length; field++)
        {
            BinaryPrimitives.WriteInt64BigEndian(wire.AsSpan(1 + (field * sizeof(long))), header[field]);
        }

        json.CopyTo(wire, HeaderBytes);
        Checksum(wire).CopyTo(wire.AsSpan(wire.Length - ChecksumBytes));
        return wire;
    }

    /// <summary>
    /// Null if this is not an entry of this version, as it was written. One from the future, because its writer's clock or this one was
    /// set, is taken for one that has just become stale.
    /// </summary>
    public static CacheEntry<T>? Read<T>(byte[]? wire, JsonTypeInfo<T> type, TimeProvider time)
    {
        if (wire is null || wire.Length < HeaderBytes + ChecksumBytes || wire[0] != Version || !wire.AsSpan(wire.Length - ChecksumBytes).SequenceEqual(Checksum(wire)))
        {
            return null;
        }

        try
        {
            var value = JsonSerializer.Deserialize(wire.AsSpan(HeaderBytes, wire.Length - HeaderBytes - ChecksumBytes), type)!;
            var (asOf, freshFor, keptFor) = (Time(1), Time(2) - Time(1), Time(3) - Time(1));
            if (freshFor < TimeSpan.Zero || keptFor < freshFor)
            {
                return null;
            }

            var storedAt = time.Monotonic() - (time.AgeOf(asOf) ?? freshFor);
            return new CacheEntry<T>(value, asOf, storedAt, storedAt + freshFor, storedAt + keptFor, Field(0));
        }
        catch (Exception exception) when (exception is JsonException or NotSupportedException or ArgumentOutOfRangeException)
        {
            return null;
        }

        long Field(int index) => BinaryPrimitives.ReadInt64BigEndian(wire.AsSpan(1 + (index * sizeof(long))));

        DateTimeOffset Time(int index) => DateTimeOffset.FromUnixTimeMilliseconds(Field(index));
    }

    private static ReadOnlySpan<byte> Checksum(byte[] wire) => SHA256.HashData(wire.AsSpan(0, wire.Length - ChecksumBytes)).AsSpan(0, ChecksumBytes);
}
