using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Problems;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.Security;

/// <summary>
/// How often one client may call, apart for the catalog, forwarded calls and administration. A client is the name of its API key, else
/// its address (of IPv6 the network of 64 bits, which is what one subscriber has).
/// </summary>
internal static class ClientRateLimiter
{
    public static void AddClientRateLimiter(this IServiceCollection services)
    {
        services.AddRateLimiter(static limiter => limiter.OnRejected = RejectAsync);

        // Limits are read once, at the start; changing them needs a restart.
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<SecurityOptions>, IOptions<RedisOptions>, RedisConnection, TimeProvider>(
            static (limiter, security, options, redis, time) =>
                limiter.GlobalLimiter = Create(security.Value.RateLimits, options.Value.KeyPrefix, redis, time));
    }

    /// <summary>Without any limit the middleware is not there.</summary>
    public static bool IsConfigured(SecurityOptions security) => security.RateLimits is not { Catalog: null, Proxy: null, Admin: null };

    /// <summary>The framework removes the bucket of a client that has been idle for 10 s.</summary>
    private static PartitionedRateLimiter<HttpContext> Create(RateLimitsOptions limits, string keyPrefix, RedisConnection redis, TimeProvider time)
    {
        Func<Client, RateLimiter> create = client => new RedisTokenBucketLimiter(client.Limit!, $"{keyPrefix}:limit:{client.Id}", redis, time);
        return PartitionedRateLimiter.Create<HttpContext, Client>(context =>
        {
            var (kind, limit) = KindOf(context.Request.Path, limits);
            return limit is null ? RateLimitPartition.GetNoLimiter(default(Client)) : RateLimitPartition.Get(new Client(limit, kind, ClientIdentity.Of(context)), create);
        });
    }

    private static (string Kind, RateLimitOptions? Limit) KindOf(PathString path, RateLimitsOptions limits) =>
        Is(path, "/catalog") ? ("catalog", limits.Catalog)
        : Is(path, "/admin") || Is(path, "/health/details") ? ("admin", limits.Admin)
        : Is(path, "/health") || Is(path, "/swagger") || path == "/" ? ("none", null)
        : ("proxy", limits.Proxy);

    private static bool Is(PathString path, string start) => path.StartsWithSegments(start, StringComparison.OrdinalIgnoreCase);

    private static async ValueTask RejectAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var context = rejected.HttpContext;
        if (!rejected.Lease.TryGetMetadata(RedisTokenBucketLimiter.Limit, out var limit) || limit is null || !rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait))
        {
            throw new InvalidOperationException("Another limiter refused.");
        }

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

    /// <summary>Whose bucket a call is paid from.</summary>
    private readonly record struct Client(RateLimitOptions? Limit, string Kind, string Name)
    {
        /// <summary>Hashed: an address is personal data, and a key's name may hold any character.</summary>
        public string Id => $"{Kind}:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Name)).AsSpan(0, 16))}";
    }
}
