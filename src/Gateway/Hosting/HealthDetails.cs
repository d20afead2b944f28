using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Configuration;
using Gateway.Observability;
using Gateway.Security;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary><c>GET /health/details</c> (role <c>admin</c>): what whoever is on call asks first, of this replica.</summary>
internal static class HealthDetails
{
    public static void MapHealthDetails(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/health/details", Answer).RequireAuthorization(Roles.Admin).WithMetadata(new DisableCorsAttribute()).ExcludeFromDescription();

    private static ContentHttpResult Answer(
        HttpContext context, StateGauges observables, AccessTokenProvider tokens, RedisConnection redis, PurgeLog ledger, UpstreamBulkhead slots,
        IOptions<CatalogOptions> cache, IOptions<SecurityOptions> admission, IEnumerable<OptionsSection> sections, IConfiguration configuration, TimeProvider time)
    {
        var upstreams = new JsonObject();
        foreach (var (name, report, circuit) in observables.Dependencies)
        {
            upstreams[name] = new JsonObject
            {
                ["status"] = report.IsFailing ? "failing" : report.LastSuccess is null ? "unknown" : "ok",
                ["lastSuccess"] = report.LastSuccess,
                ["lastFailure"] = report.LastFailure,
                ["lastFailureWas"] = report.LastOutcome,
                ["lastFailureCause"] = report.LastCause,
                ["callsLastMinute"] = report.Calls,
                ["errorRateLastMinute"] = Math.Round(report.ErrorRate, 4),
                ["circuit"] = circuit?.ToString() is { } state ? char.ToLowerInvariant(state[0]) + state[1..] : null,
                ["circuitOpenedBy"] = report.CircuitOpenedBy,
            };
        }

        var age = tokens.TokenAge;
        var isDegraded = observables.Dependencies.Any(one => one.Report.IsFailing) || redis.State is not (RedisState.Up or RedisState.Off);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Text(
            new JsonObject
            {
                ["status"] = isDegraded ? "degraded" : "healthy",
                ["version"] = OpenTelemetryExport.Version,
                ["configurationHash"] = ConfigurationHash(sections, configuration),
                ["replica"] = Environment.MachineName,
                ["processId"] = Environment.ProcessId,
                ["time"] = time.GetUtcNow(),
                ["upstreams"] = upstreams,
                ["token"] = new JsonObject
                {
                    ["present"] = age is not null,
                    ["ageSeconds"] = age is { } known ? Math.Round(known.Age.TotalSeconds, 1) : null,
                    ["expiresAt"] = time.GetUtcNow() + age?.Left,
                },
                ["redis"] = new JsonObject { ["state"] = redis.State.ToString().ToLowerInvariant(), ["purgesKnown"] = ledger.IsSynced },
                ["cache"] = new JsonObject
                {
                    ["entries"] = observables.CacheEntries,
                    ["bytes"] = observables.CacheBytes,
                    ["limitBytes"] = cache.Value.MemoryLimit,
                    ["loading"] = observables.Loading,
                    ["purgeEpoch"] = ledger.Epoch,
                },
                ["requests"] = new JsonObject { ["waiting"] = slots.InUse, ["limit"] = admission.Value.MaxConcurrentRequests },
            }.ToJsonString(),
            "application/json");
    }

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
