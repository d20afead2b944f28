using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Gateway.Caching;
using Gateway.Hosting.Observability;
using Gateway.Problems;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Security;

/// <summary>
/// How often one client may call, apart for the catalog, forwarded calls and administration. A client is the name of its API key, else
/// its address (of IPv6 the network of 64 bits, which is what one subscriber has).
/// </summary>
internal static class RateLimits
{
    public static void AddGatewayRateLimits(this IServiceCollection services)
    {
        services.AddRateLimiter(static limiter => limiter.OnRejected = AnswerAsync);
        services.AddOptions<RateLimiterOptions>().Configure<IServiceProvider>(static (limiter, provider) =>
        {
            // As they were at the start: a limit that changed under a bucket would be neither.
            var limits = provider.GetRequiredService<IOptions<SecurityOptions>>().Value.RateLimits;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, Client>(Partition(provider, limits));
        });
    }

    public static bool AreConfigured(SecurityOptions security) => security.RateLimits is not { Catalog: null, Proxy: null, Admin: null };

    private static Func<HttpContext, RateLimitPartition<Client>> Partition(IServiceProvider provider, RateLimitsOptions limits)
    {
        var prefix = provider.GetRequiredService<IOptions<RedisOptions>>().Value.KeyPrefix;
        var redis = provider.GetRequiredService<RedisConnection>();
        var time = provider.GetRequiredService<TimeProvider>();
        RateLimiter Bucket(Client client) => new SharedTokenBucket(client.Limit!, $"{prefix}:limit:{client.Id}", redis, time);
        Func<Client, RateLimiter> bucket = Bucket;
        return context =>
        {
            var client = Client.Of(context, limits);
            return client.Limit is null ? RateLimitPartition.GetNoLimiter(client) : RateLimitPartition.Get(client, bucket);
        };
    }

    private static async ValueTask AnswerAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var context = rejected.HttpContext;
        if (!rejected.Lease.TryGetMetadata(SharedTokenBucket.Limit, out var limit) || limit is null || !rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait))
        {
            throw new InvalidOperationException("Somebody else refused.");
        }

        Activity.Current = RequestTrace.Of(context);
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

        // draft-ietf-httpapi-ratelimit-headers-07; on the 429 alone, because other answers are shared by caches.
        context.Response.Headers["RateLimit-Limit"] = limit.Burst.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["RateLimit-Remaining"] = "0";
        context.Response.Headers["RateLimit-Reset"] = seconds;
        await new ProblemResult(
            Problem.TooManyRequests,
            string.Create(CultureInfo.InvariantCulture, $"At most {limit.PermitsPerSecond} calls a second for long, and {limit.Burst} at once."),
            retryAfter: wait).ExecuteAsync(context);
    }

    /// <summary>Whose bucket a call is paid from. Default: nobody's.</summary>
    private readonly record struct Client(RateLimitOptions? Limit, string Kind, string? Name, IPAddress? Address)
    {
        /// <summary>Hashed: an address is personal data, and a key's name may hold any character.</summary>
        public string Id => $"{Kind}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Name is null ? $"address:{Address}" : $"name:{Name}")).AsSpan(0, 16))}";

        public static Client Of(HttpContext context, RateLimitsOptions limits)
        {
            var (kind, limit) = KindOf(context.Request.Path, limits);
            if (limit is null)
            {
                return default;
            }

            return context.User.Identity is { IsAuthenticated: true, Name: { } name }
                ? new Client(limit, kind, name, Address: null)
                : new Client(limit, kind, Name: null, Network(context.Connection.RemoteIpAddress));
        }

        private static (string Kind, RateLimitOptions? Limit) KindOf(PathString path, RateLimitsOptions limits) =>
            Is(path, "/catalog") ? ("catalog", limits.Catalog)
            : Is(path, "/admin") || Is(path, "/health/details") ? ("admin", limits.Admin)
            : Is(path, "/health") || Is(path, "/swagger") || path == "/" ? ("none", null)
            : ("proxy", limits.Proxy);

        private static bool Is(PathString path, string start) => path.StartsWithSegments(start, StringComparison.OrdinalIgnoreCase);

        private static IPAddress? Network(IPAddress? address)
        {
            if (address is not { AddressFamily: AddressFamily.InterNetworkV6 })
            {
                return address;
            }

            if (address.IsIPv4MappedToIPv6)
            {
                return address.MapToIPv4();
            }

            var bytes = address.GetAddressBytes();
            bytes.AsSpan(8).Clear();
            return new IPAddress(bytes);
        }
    }
}
