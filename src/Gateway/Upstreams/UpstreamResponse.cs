using System.Net;
using Gateway.Problems;

namespace Gateway.Upstreams;

/// <summary>A complete HTTP answer, whatever its status.</summary>
internal sealed record UpstreamResponse(HttpStatusCode Status, byte[] Body, TimeSpan? RetryAfter)
{
    /// <summary>The body without a byte order mark.</summary>
    public ReadOnlySpan<byte> Json => Body.AsSpan().StartsWith("\uFEFF"u8) ? Body.AsSpan(3) : Body;

    /// <summary>What the status means for a client that wanted 200; null for 200.</summary>
    public UpstreamFailure? Failure => Status switch
    {
        HttpStatusCode.OK => null,
        HttpStatusCode.TooManyRequests => UpstreamFailure.Throttled,
        _ => UpstreamFailure.Rejected,
    };
}
