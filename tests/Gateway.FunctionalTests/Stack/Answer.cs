using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;

namespace Gateway.FunctionalTests.Stack;

/// <summary>An answer of the gateway.</summary>
internal sealed record Answer(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    private JsonNode? _json;

    public JsonNode Json => _json ??= JsonNode.Parse(Body)!;

    /// <summary>The code of a problem.</summary>
    public string? Code => (string?)Json["code"];

    public JsonArray Items => Json["items"]!.AsArray();

    public JsonNode Component(string id) => Items.Single(item => (string?)item!["id"] == id)!;

    /// <summary>A header of the answer; null if it has none of the name.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) => new(
        response.StatusCode,

        // As sent: the client's typed headers are put into another order.
        response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
        await ReadBodyAsync(response.Content));

    /// <summary>Decoded, whatever coding it came in.</summary>
    private static async Task<string> ReadBodyAsync(HttpContent content)
    {
        await using var raw = await content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await using Stream body = string.Concat(content.Headers.ContentEncoding) switch
        {
            "gzip" => new GZipStream(raw, CompressionMode.Decompress),
            "br" => new BrotliStream(raw, CompressionMode.Decompress),
            _ => raw,
        };
        using var reader = new StreamReader(body);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
