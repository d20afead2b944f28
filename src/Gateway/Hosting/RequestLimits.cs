using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Hosting;

/// <summary>How large a request may be and how long it may take to arrive. Beyond them the server itself answers 414, 431, 413 or 408.</summary>
internal static class RequestLimits
{
    public static void Apply(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;

        // As HttpClient reads them: header values of upstreams pass byte for byte, ASCII or not.
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;

        // Twenty product ids of 128 characters fit in; a route may allow a larger body (MaxRequestBodySize).
        kestrel.Limits.MaxRequestLineSize = 8 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 100;
        kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
    }
}
