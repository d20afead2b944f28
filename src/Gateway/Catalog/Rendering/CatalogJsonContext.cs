using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace Gateway.Catalog.Rendering;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CatalogResponse))]
[JsonSerializable(typeof(CatalogTier))]
internal sealed partial class CatalogJsonContext : JsonSerializerContext
{
    /// <summary>A thread keeps its buffer for the next answer unless it had to become longer than this.</summary>
    private const int LongestKept = 384 * 1024;

    /// <summary>Text in every script as it is; only what HTML would mistake for markup is escaped.</summary>
    private static readonly JsonWriterOptions Wire = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    /// <summary>
    /// The answer's body. By the generated code itself: the serializer would go by tables of properties instead, because the encoder is
    /// not its own, and compile those tables' code at every start.
    /// </summary>
    public static byte[] Write(CatalogResponse response)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>();
        buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(buffer, Wire))
        {
            Default.CatalogResponse.SerializeHandler!(writer, response);
        }

        if (buffer.Capacity > LongestKept)
        {
            _buffer = null;
        }

        return buffer.WrittenSpan.ToArray();
    }
}
