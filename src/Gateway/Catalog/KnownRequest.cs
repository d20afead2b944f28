namespace Gateway.Catalog;

/// <summary>What a request that was seen before asks for, in which coding, and the route that it takes.</summary>
internal sealed record KnownRequest(CatalogQuestion Question, ContentCoding Coding, Endpoint? Endpoint);
