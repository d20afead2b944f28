using System.Text.Json.Serialization;

namespace Gateway.Hosting;

/// <summary>What <c>GET /health/details</c> answers, of one replica.</summary>
internal sealed record HealthDetailsResponse
{
    /// <summary><c>healthy</c>, or <c>degraded</c> where an upstream or Redis fails.</summary>
    public required string Status { get; init; }

    /// <summary>Version of the build.</summary>
    public required string Version { get; init; }

    /// <summary>The same on replicas that are configured alike; secrets are not part of it.</summary>
    public required string ConfigurationHash { get; init; }

    /// <summary>Name of the machine or container.</summary>
    public required string Replica { get; init; }

    /// <summary>Its process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Its clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What the gateway calls, by name.</summary>
    public required IReadOnlyDictionary<string, HealthDetailsUpstream> Upstreams { get; init; }

    /// <summary>The access token in use.</summary>
    public required HealthDetailsToken Token { get; init; }

    /// <summary>The shared cache.</summary>
    public required HealthDetailsRedis Redis { get; init; }

    /// <summary>The cache in memory.</summary>
    public required HealthDetailsCache Cache { get; init; }

    /// <summary>Requests that wait for an upstream.</summary>
    public required HealthDetailsRequests Requests { get; init; }
}

/// <summary>How an upstream is doing.</summary>
internal sealed record HealthDetailsUpstream
{
    /// <summary><c>ok</c>, <c>failing</c>, or <c>unknown</c> where none of its calls has succeeded yet.</summary>
    public required string Status { get; init; }

    /// <summary>When a call last succeeded.</summary>
    public required DateTimeOffset? LastSuccess { get; init; }

    /// <summary>When a call last failed.</summary>
    public required DateTimeOffset? LastFailure { get; init; }

    /// <summary>How it failed.</summary>
    public required string? LastFailureWas { get; init; }

    /// <summary>What was at the bottom of it.</summary>
    public required string? LastFailureCause { get; init; }

    /// <summary>Calls in the last minute.</summary>
    public required int CallsLastMinute { get; init; }

    /// <summary>Share of them that failed, 0 to 1.</summary>
    public required double ErrorRateLastMinute { get; init; }

    /// <summary><c>closed</c>, <c>open</c>, <c>halfOpen</c> or <c>isolated</c>; null where there is no circuit breaker.</summary>
    public required string? Circuit { get; init; }

    /// <summary>What opened the circuit.</summary>
    public required string? CircuitOpenedBy { get; init; }
}

/// <summary>The access token in use.</summary>
internal sealed record HealthDetailsToken
{
    /// <summary>Whether there is one.</summary>
    public required bool Present { get; init; }

    /// <summary>Seconds since it was obtained.</summary>
    public required double? AgeSeconds { get; init; }

    /// <summary>When it expires.</summary>
    public required DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>The shared cache.</summary>
internal sealed record HealthDetailsRedis
{
    /// <summary><c>off</c> (not configured), <c>connecting</c>, <c>up</c> or <c>down</c>.</summary>
    public required string State { get; init; }

    /// <summary>Whether every purge is known to this replica.</summary>
    public required bool PurgesKnown { get; init; }
}

/// <summary>The cache in memory.</summary>
internal sealed record HealthDetailsCache
{
    /// <summary>Entries of all kinds.</summary>
    public required int Entries { get; init; }

    /// <summary>What they take, as <c>Catalog:MemoryLimit</c> counts it.</summary>
    public required long Bytes { get; init; }

    /// <summary><c>Catalog:MemoryLimit</c>.</summary>
    public required long LimitBytes { get; init; }

    /// <summary>Look-ups and refreshes under way.</summary>
    public required int Loading { get; init; }

    /// <summary>Number of the last purge.</summary>
    public required long PurgeEpoch { get; init; }
}

/// <summary>Requests that wait for an upstream.</summary>
internal sealed record HealthDetailsRequests
{
    /// <summary>How many wait now.</summary>
    public required long Waiting { get; init; }

    /// <summary><c>Security:MaxConcurrentRequests</c>.</summary>
    public required long Limit { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthDetailsResponse))]
internal sealed partial class HealthDetailsJsonContext : JsonSerializerContext;
