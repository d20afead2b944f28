namespace Gateway.Catalog;

/// <summary>What a request that was seen before asks for, and in which coding.</summary>
internal sealed record KnownRequest(CatalogQuestion Question, ContentCoding Coding);
