using System.Security.Cryptography;
using System.Text;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Security;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Polly.CircuitBreaker;

namespace Gateway.Hosting;

/// <summary><c>GET /health/details</c> (role <c>admin</c>): what whoever is on call asks first, of this replica.</summary>
internal static class HealthDetails
{
    public static void MapHealthDetails(this IEndpointRouteBuilder routes) => routes
        .MapGet("/health/details", Answer)
        .RequireAuthorization(Roles.Admin)
        .WithMetadata(new DisableCorsAttribute())
        .WithGroupName(Roles.Admin)
        .WithTags("Administration")
        .WithSummary("What whoever is on call asks first, of this replica.")
        .WithDescription("Upstreams, token, Redis, cache and load, as this replica sees them now.")
        .Produces<HealthDetailsResponse>()
        .ProducesProblems(Problem.Unauthenticated, Problem.Forbidden, Problem.TooManyRequests);

    private static JsonHttpResult<HealthDetailsResponse> Answer(
        HttpContext context, StateGauges gauges, AccessTokenProvider tokens, RedisConnection redis, PurgeLog purges, UpstreamBulkhead slots,
        IOptions<CatalogOptions> cache, IOptions<SecurityOptions> admission, IEnumerable<OptionsSection> sections, IConfiguration configuration, TimeProvider time)
    {
        var age = tokens.TokenAge;
        var isDegraded = gauges.Dependencies.Any(one => one.Report.IsFailing) || redis.State is not (RedisState.Up or RedisState.Off);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Json(
            new HealthDetailsResponse
            {
                Status = isDegraded ? "degraded" : "healthy",
                Version = OpenTelemetryExport.Version,
                ConfigurationHash = ConfigurationHash(sections, configuration),
                Replica = Environment.MachineName,
                ProcessId = Environment.ProcessId,
                Time = time.GetUtcNow(),
                Upstreams = gauges.Dependencies.ToDictionary(one => one.Name, one => Describe(one.Report, one.Circuit), StringComparer.Ordinal),
                Token = new HealthDetailsToken
                {
                    Present = age is not null,
                    AgeSeconds = age is { } known ? Math.Round(known.Age.TotalSeconds, 1) : null,
                    ExpiresAt = time.GetUtcNow() + age?.Left,
                },
                Redis = new HealthDetailsRedis { State = redis.State.ToString().ToLowerInvariant(), PurgesKnown = purges.IsSynced },
                Cache = new HealthDetailsCache
                {
                    Entries = gauges.CacheEntries,
                    Bytes = gauges.CacheBytes,
                    LimitBytes = cache.Value.MemoryLimit,
                    Loading = gauges.Loading,
                    PurgeEpoch = purges.Epoch,
                },
                Requests = new HealthDetailsRequests { Waiting = slots.InUse, Limit = admission.Value.MaxConcurrentRequests },
            },
            HealthDetailsJsonContext.Default.HealthDetailsResponse);
    }

    private static HealthDetailsUpstream Describe(DependencyReport report, CircuitState? circuit) => new()
    {
        Status = report.IsFailing ? "failing" : report.LastSuccess is null ? "unknown" : "ok",
        LastSuccess = report.LastSuccess,
        LastFailure = report.LastFailure,
        LastFailureWas = report.LastOutcome,
        LastFailureCause = report.LastCause,
        CallsLastMinute = report.Calls,
        ErrorRateLastMinute = Math.Round(report.ErrorRate, 4),
        Circuit = circuit?.ToString() is { } state ? char.ToLowerInvariant(state[0]) + state[1..] : null,
        CircuitOpenedBy = report.CircuitOpenedBy,
    };

    /// <summary>The same on replicas that are configured alike; secrets are not part of it.</summary>
    internal static string ConfigurationHash(IEnumerable<OptionsSection> sections, IConfiguration configuration)
    {
        var secrets = sections.SelectMany(section => section.SecretPaths).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var lines = sections.Select(section => section.Name).Append("ReverseProxy").Distinct(StringComparer.Ordinal)
            .SelectMany(name => configuration.GetSection(name).AsEnumerable())
            .Where(pair => pair.Value is not null && !secrets.Contains(pair.Key))
            .Select(pair => $"{pair.Key.ToUpperInvariant()}={pair.Value}")
            .Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))).AsSpan(0, 8));
    }
}
