using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace Gateway.Catalog;

[JsonSerializable(typeof(CatalogResponse))]
internal sealed partial class CatalogJsonContext : JsonSerializerContext
{
    /// <summary>Text in every script as it is; only what HTML would mistake for markup is escaped.</summary>
    public static CatalogJsonContext Wire { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    });
}
