using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Gateway.Caching;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Security;

/// <summary>
/// How often one client may call, apart for the catalog, forwarded calls and administration. A client is the name of its API key, else
/// its address (of IPv6 the network of 64 bits, which is what one subscriber has). Limits are as they were at the start: one that
/// changed under a bucket would be neither. Unlike the framework's own it takes no lock for all clients and allocates nothing.
/// </summary>
internal sealed class ClientLimits : PartitionedRateLimiter<HttpContext>
{
    /// <summary>For how long a bucket with nothing in it to remember is kept, and how often they are looked through.</summary>
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(10);

    private static readonly RateLimitLease Unlimited = new Granted();

    private readonly RateLimitsOptions _limits;
    private readonly string _prefix;
    private readonly RedisConnection _redis;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<Client, SharedTokenBucket> _buckets = new();
    private readonly ITimer _sweep;

    public ClientLimits(IOptions<SecurityOptions> security, IOptions<RedisOptions> options, RedisConnection redis, TimeProvider time)
    {
        _limits = security.Value.RateLimits;
        _prefix = options.Value.KeyPrefix;
        (_redis, _time) = (redis, time);
        _sweep = time.CreateTimer(static self => ((ClientLimits)self!).Sweep(), this, IdleFor, IdleFor);
    }

    /// <summary>Buckets in memory.</summary>
    internal int Count => _buckets.Count;

    /// <summary>At once. False: the client may not, or this takes a moment to tell; nothing was paid.</summary>
    public bool Admits(HttpContext context)
    {
        using var lease = AttemptAcquire(context);
        return lease.IsAcquired;
    }

    public override RateLimiterStatistics? GetStatistics(HttpContext resource) => null;

    protected override RateLimitLease AttemptAcquireCore(HttpContext resource, int permitCount) =>
        BucketOf(resource)?.AttemptAcquire(permitCount) ?? Unlimited;

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(HttpContext resource, int permitCount, CancellationToken cancellationToken) =>
        BucketOf(resource)?.AcquireAsync(permitCount, cancellationToken) ?? new(Unlimited);

    protected override void Dispose(bool disposing)
    {
        _sweep.Dispose();
        base.Dispose(disposing);
    }

    private SharedTokenBucket? BucketOf(HttpContext context)
    {
        var client = Client.Of(context, _limits);
        return client.Limit is null ? null : _buckets.GetOrAdd(
            client, static (client, self) => new SharedTokenBucket(client.Limit!, $"{self._prefix}:limit:{client.Id}", self._redis, self._time), this);
    }

    /// <summary>A bucket that is idle is as a new one would be, so it does not matter if somebody just found it.</summary>
    private void Sweep()
    {
        foreach (var bucket in _buckets)
        {
            if (bucket.Value.IdleDuration > IdleFor)
            {
                _buckets.TryRemove(bucket);
            }
        }
    }

    /// <summary>Whose bucket a call is paid from. Default: nobody's.</summary>
    /// <param name="Limit">Null: no limit.</param>
    /// <param name="Kind">Of what.</param>
    /// <param name="Name">Of the API key, or null.</param>
    /// <param name="Network">Without a key: the address as one of IPv6, of a real one of which the first half. 0 where there is none.</param>
    private readonly record struct Client(RateLimitOptions? Limit, string Kind, string? Name, UInt128 Network)
    {
        /// <summary>Hashed: an address is personal data, and a key's name may hold any character.</summary>
        public string Id => $"{Kind}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Name is null ? $"network:{Network:x32}" : $"name:{Name}")).AsSpan(0, 16))}";

        public static Client Of(HttpContext context, RateLimitsOptions limits)
        {
            var (kind, limit) = KindOf(context.Request.Path, limits);
            if (limit is null)
            {
                return default;
            }

            // Without a key nobody is anybody; and not by context.User, which makes one where there is none.
            return context.Request.Headers.ContainsKey(ApiKeyHandler.HeaderName)
                && context.Features.Get<IHttpAuthenticationFeature>()?.User?.Identity is { IsAuthenticated: true, Name: { } name }
                ? new Client(limit, kind, name, Network: 0)
                : new Client(limit, kind, Name: null, NetworkOf(context.Connection.RemoteIpAddress));
        }

        private static (string Kind, RateLimitOptions? Limit) KindOf(PathString path, RateLimitsOptions limits) =>
            Is(path, "/catalog") ? ("catalog", limits.Catalog)
            : Is(path, "/admin") || Is(path, "/health/details") ? ("admin", limits.Admin)
            : Is(path, "/health") || Is(path, "/swagger") || path == "/" ? ("none", null)
            : ("proxy", limits.Proxy);

        private static bool Is(PathString path, string start) => path.StartsWithSegments(start, StringComparison.OrdinalIgnoreCase);

        private static UInt128 NetworkOf(IPAddress? address)
        {
            Span<byte> bytes = stackalloc byte[16];
            if (address is null || !address.TryWriteBytes(bytes, out var length))
            {
                return 0;
            }

            if (length == 4)
            {
                // As it would come over IPv6: ::ffff:a.b.c.d.
                bytes[..4].CopyTo(bytes[12..]);
                bytes[..10].Clear();
                bytes[10..12].Fill(0xff);
            }
            else if (!address.IsIPv4MappedToIPv6)
            {
                bytes[8..].Clear();
            }

            return BinaryPrimitives.ReadUInt128BigEndian(bytes);
        }
    }

    private sealed class Granted : RateLimitLease
    {
        public override bool IsAcquired => true;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }
}
