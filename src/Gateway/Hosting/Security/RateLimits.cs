using System.Globalization;
using System.Threading.RateLimiting;
using Gateway.Problems;
using Microsoft.AspNetCore.RateLimiting;

namespace Gateway.Hosting.Security;

/// <summary><see cref="ClientLimits"/> in the pipeline, and what is answered to who is beyond one.</summary>
internal static class RateLimits
{
    public static void AddGatewayRateLimits(this IServiceCollection services)
    {
        services.AddSingleton<ClientLimits>();
        services.AddRateLimiter(static limiter => limiter.OnRejected = AnswerAsync);
        services.AddOptions<RateLimiterOptions>().Configure<ClientLimits>(static (limiter, clients) => limiter.GlobalLimiter = clients);
    }

    /// <summary>Nothing limits anybody where nothing is configured.</summary>
    public static bool AreConfigured(SecurityOptions security) => security.RateLimits is not { Catalog: null, Proxy: null, Admin: null };

    private static async ValueTask AnswerAsync(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var context = rejected.HttpContext;
        if (!rejected.Lease.TryGetMetadata(SharedTokenBucket.Limit, out var limit) || limit is null || !rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait))
        {
            throw new InvalidOperationException("Somebody else refused.");
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
}
