using Microsoft.Net.Http.Headers;

namespace Gateway.Catalog.Rendering;

/// <summary>How an answer's bytes are encoded (RFC 9110 §8.4).</summary>
internal enum ContentCoding
{
    Identity,
    Gzip,
    Brotli,
}

internal static class ContentCodings
{
    /// <summary>The coding that the client likes best; of equals the smallest, and identity for one that names none we have.</summary>
    public static ContentCoding Negotiate(IHeaderDictionary headers)
    {
        if (headers.AcceptEncoding.Count == 0 || !StringWithQualityHeaderValue.TryParseList(headers.AcceptEncoding, out var accepted))
        {
            return ContentCoding.Identity;
        }

        var best = ContentCoding.Identity;
        var bestQuality = 0.0;
        foreach (var (coding, name) in new[] { (ContentCoding.Brotli, "br"), (ContentCoding.Gzip, "gzip") })
        {
            var quality = (accepted.FirstOrDefault(value => value.Value.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? accepted.FirstOrDefault(value => value.Value == "*")) is { } value ? value.Quality ?? 1 : 0;
            if (quality > bestQuality)
            {
                (best, bestQuality) = (coding, quality);
            }
        }

        var identity = accepted.FirstOrDefault(value => value.Value.Equals("identity", StringComparison.OrdinalIgnoreCase))?.Quality ?? 0;
        return identity > bestQuality ? ContentCoding.Identity : best;
    }

    public static string? Name(this ContentCoding coding) => coding switch
    {
        ContentCoding.Gzip => "gzip",
        ContentCoding.Brotli => "br",
        _ => null,
    };
}
