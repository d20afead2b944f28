using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>Section <c>Security</c>: who may call, from where, and how often. API keys follow the configuration while the gateway runs.</summary>
internal sealed class SecurityOptions
{
    public const string Section = "Security";

    /// <summary>API keys, of which only hashes are known here. Several may have the same name, so that a key can be rotated.</summary>
    public List<ApiKeyOptions> ApiKeys { get; set; } = [];

    /// <summary>Which web pages may read answers. Default none.</summary>
    public CorsOriginsOptions Cors { get; set; } = new();

    /// <summary>How often a client may call. Default: no limits.</summary>
    public RateLimitsOptions RateLimits { get; set; } = new();

    /// <summary>
    /// Addresses (<c>10.0.0.7</c>) and networks (<c>10.0.0.0/8</c>) of the load balancers in front, whose <c>X-Forwarded-For</c> and
    /// <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Prefix</c> are believed. Default none: nobody's are.
    /// </summary>
    public CommaList KnownProxies { get; set; } = [];

    /// <summary>The catalog needs a valid API key, of any role, and its answers are for nobody else to keep. Default false.</summary>
    public bool RequireKeyForCatalog { get; set; }

    /// <summary>Requests that wait for an upstream at the same time, per replica. Default 2,000, range 1 to 100,000.</summary>
    [Range(1, 100_000)]
    public int MaxConcurrentRequests { get; set; } = 2_000;
}

/// <summary>One API key.</summary>
internal sealed class ApiKeyOptions
{
    /// <summary>Whose key it is; shown in logs, and what rate limits count by. Required.</summary>
    [Required]
    [Verbatim]
    public string Name { get; set; } = string.Empty;

    /// <summary>SHA-256 of the key, 64 hexadecimal digits (<c>./dev key</c> makes both). Required.</summary>
    [Verbatim]
    public string Sha256 { get; set; } = string.Empty;

    /// <summary><c>proxy</c>, <c>admin</c>. At least one.</summary>
    public CommaList Roles { get; set; } = [];

    /// <summary>From when on the key is refused, such as <c>2027-01-31T00:00:00Z</c>. Default: never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}

/// <summary>Cross-origin reading by web pages.</summary>
internal sealed class CorsOriginsOptions
{
    /// <summary>Origins: exactly (<c>https://shop.example.com</c>), or all below a domain (<c>https://*.example.com</c>). Default none.</summary>
    public CommaList Origins { get; set; } = [];
}

/// <summary>A limit for each kind of call; one that is absent does not limit.</summary>
internal sealed class RateLimitsOptions
{
    /// <summary><c>/catalog</c>.</summary>
    public RateLimitOptions? Catalog { get; set; }

    /// <summary>What is forwarded to the upstreams, and everything else that is not listed here.</summary>
    public RateLimitOptions? Proxy { get; set; }

    /// <summary><c>/admin</c> and <c>/health/details</c>.</summary>
    public RateLimitOptions? Admin { get; set; }
}

/// <summary>A token bucket for each client.</summary>
internal sealed class RateLimitOptions
{
    /// <summary>How many calls a second one client may make for long. Required, 0.01 to 1,000,000.</summary>
    [Range(0.01, 1_000_000)]
    public double PermitsPerSecond { get; set; }

    /// <summary>How many it may make at once. Required, 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int Burst { get; set; }
}
