using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Gateway.Caching;

namespace Gateway.Catalog.Rendering;

/// <summary>
/// An answer as bytes, one body per content coding, each with its strong <c>ETag</c>. The compressed ones are made when first asked
/// for. Nothing of it changes but how old it is.
/// </summary>
internal sealed class RenderedCatalog
{
    private readonly Lazy<byte[]> _gzip;
    private readonly Lazy<byte[]> _brotli;
    private readonly IReadOnlyList<ChangeStamp> _parts;
    private readonly string[] _etags;
    private RenderedAge? _age;
    private string? _cacheControl;

    /// <summary>For how long an answer may be reused, here or by a client, that is not as it should be.</summary>
    internal static readonly TimeSpan MaxIncompleteLifetime = TimeSpan.FromSeconds(5);

    public RenderedCatalog(AggregationResult assembly, CatalogResponse response, TimeSpan now, long epoch)
    {
        Identity = CatalogJsonContext.Write(response);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Identity).AsSpan(0, 16));
        _etags = [.. Enum.GetValues<ContentCoding>().Select(coding => coding.Name() is { } name ? $"\"{hash}-{name}\"" : $"\"{hash}\"")];
        _gzip = new(() => Compress(stream => new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true)));
        _brotli = new(() => Compress(stream => new BrotliStream(stream, CompressionLevel.Optimal, leaveOpen: true)));
        BuiltAt = now;
        var isComplete = response.Completeness.Complete;
        var fresh = assembly.FreshUntil > now ? assembly.FreshUntil - now : TimeSpan.Zero;
        FreshFor = isComplete || fresh < MaxIncompleteLifetime ? fresh : MaxIncompleteLifetime;
        IsCompleteAndFresh = isComplete && fresh > TimeSpan.Zero;
        UsableUntil = now + (fresh > TimeSpan.Zero ? FreshFor : MaxIncompleteLifetime);
        IsComplete = isComplete;
        Completeness = !isComplete ? "incomplete" : response.Completeness.Stale > 0 ? "stale" : "complete";
        _parts = IsCompleteAndFresh ? [] : assembly.Parts;
        Epoch = epoch;
    }

    public byte[] Identity { get; }

    /// <summary>By the monotonic clock, as every time here.</summary>
    public TimeSpan BuiltAt { get; }

    /// <summary>The shortest freshness of its parts when it was put together; zero for one that is made of stale parts.</summary>
    public TimeSpan FreshFor { get; }

    /// <summary>Until when it may be reused here.</summary>
    public TimeSpan UsableUntil { get; }

    public bool IsComplete { get; }

    /// <summary>As <see cref="CatalogCacheStatus.Completeness"/>.</summary>
    public string Completeness { get; }

    /// <summary>Complete and made of fresh parts only. Another is only as good as long as no part has changed.</summary>
    public bool IsCompleteAndFresh { get; }

    /// <summary>Nothing that it was made of has changed since; only watched while it is not settled.</summary>
    public bool IsUnchanged
    {
        get
        {
            // Asked for by every request.
            for (var part = 0; part < _parts.Count; part++)
            {
                if (!_parts[part].IsUnchanged)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>The purge epoch at which it was begun.</summary>
    public long Epoch { get; }

    public byte[] Body(ContentCoding coding) => coding switch
    {
        ContentCoding.Gzip => _gzip.Value,
        ContentCoding.Brotli => _brotli.Value,
        _ => Identity,
    };

    public string ETag(ContentCoding coding) => _etags[(int)coding];

    /// <summary><c>Cache-Control</c>; made once, since an answer belongs to one request.</summary>
    /// <param name="audience"><c>public</c> or <c>private</c>.</param>
    /// <param name="staleWindows">What follows for a complete answer: nobody is to keep another for longer than its freshness.</param>
    public string CacheControl(string audience, string staleWindows) => _cacheControl ??= string.Create(
        CultureInfo.InvariantCulture, $"{audience}, max-age={(long)FreshFor.TotalSeconds}{(IsComplete ? staleWindows : string.Empty)}");

    /// <summary>How old it is, in words made once a second.</summary>
    public RenderedAge Age(TimeSpan now)
    {
        var seconds = (long)(now - BuiltAt).TotalSeconds;
        var age = _age;
        return age?.Seconds == seconds ? age : _age = new RenderedAge(seconds, (long)FreshFor.TotalSeconds);
    }

    private byte[] Compress(Func<Stream, Stream> encoder)
    {
        using var buffer = new MemoryStream(Identity.Length / 4);
        using (var stream = encoder(buffer))
        {
            stream.Write(Identity);
        }

        return buffer.ToArray();
    }
}

/// <summary>The headers of a <see cref="RenderedCatalog"/> that change with time.</summary>
/// <param name="seconds">Since it was put together.</param>
/// <param name="freshFor">Seconds that it was good for then.</param>
internal sealed class RenderedAge(long seconds, long freshFor)
{
    public long Seconds => seconds;

    /// <summary><c>Age</c>, RFC 9111 §5.1.</summary>
    public string Age { get; } = seconds.ToString(CultureInfo.InvariantCulture);

    /// <summary><c>Cache-Status</c> of a hit, RFC 9211.</summary>
    public string CacheStatus { get; } = string.Create(CultureInfo.InvariantCulture, $"gateway; hit; ttl={freshFor - seconds}");
}
