using System.Text.Json.Serialization;

namespace Gateway.Catalog;

/// <summary>A purge that was accepted.</summary>
/// <param name="Scope">What it is about: <c>product:ID</c>, <c>sku:SKU</c> or <c>all</c>.</param>
/// <param name="Hard">Deleted, rather than marked stale.</param>
/// <param name="Replicas"><c>all</c>, or <c>this</c> where Redis cannot be had; the others then purge everything when it is back.</param>
internal sealed record PurgeResponse(string Scope, bool Hard, string Replicas);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PurgeResponse))]
internal sealed partial class PurgeJsonContext : JsonSerializerContext;
