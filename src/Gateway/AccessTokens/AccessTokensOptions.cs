using System.ComponentModel.DataAnnotations;
using Gateway.Configuration;

namespace Gateway.AccessTokens;

/// <summary>Section <c>AccessTokens</c>: the PrestaShop authorization server and the gateway's credentials there.</summary>
internal sealed class AccessTokensOptions
{
    public const string Section = "AccessTokens";

    private static readonly Uri DefaultAuthority = new("https://oauth.prestashop.com/");

    private static readonly Uri DefaultTokenEndpoint = new("https://oauth.prestashop.com/oauth2/token");

    /// <summary>
    /// OpenID Connect authority, always https, whose discovery document names the token endpoint. Default
    /// <c>https://oauth.prestashop.com/</c>, whose token endpoint is documented: nothing is discovered then.
    /// </summary>
    public Uri? Authority { get; set; } = DefaultAuthority;

    /// <summary>The token endpoint (RFC 6749 §3.2), always https: nothing is discovered then. Unset (default): the authority's.</summary>
    public Uri? TokenEndpoint { get; set; }

    /// <summary>What is known without asking; null: it has to be discovered.</summary>
    public Uri? EffectiveTokenEndpoint => TokenEndpoint ?? (Authority == DefaultAuthority ? DefaultTokenEndpoint : null);

    /// <summary>What MSAL is told, which remembers what it learnt of an authority: another token endpoint is another one.</summary>
    public Uri EffectiveAuthority => TokenEndpoint ?? Authority!;

    /// <summary>Both are configured, and not alike.</summary>
    public bool IsContradictory => TokenEndpoint is not null && Authority != DefaultAuthority && Authority?.Authority != TokenEndpoint.Authority;

    /// <summary>Required.</summary>
    [Required]
    [Verbatim]
    public string ClientId { get; set; } = string.Empty;

    /// <summary>Required; a secret.</summary>
    [Required]
    [Secret]
    [Verbatim]
    public string ClientSecret { get; set; } = string.Empty;

    /// <summary>Audience of the token; several are separated by a space. Default <c>distribution.prestashop.net</c>.</summary>
    [Verbatim]
    public string Audience { get; set; } = "distribution.prestashop.net";

    /// <summary>Scopes, separated by a space. Default <c>openid</c>.</summary>
    [Verbatim]
    public string Scopes { get; set; } = "openid";

    /// <summary>
    /// 32 bytes in base64 that encrypt the token in Redis. Empty (default): derived from <see cref="ClientSecret"/>. A secret; the
    /// same on every replica. Replicas with different keys keep different tokens and do not disturb each other.
    /// </summary>
    [Secret]
    [Verbatim]
    public string EncryptionKey { get; set; } = string.Empty;

    /// <summary>Origins (<c>https://host:port</c>) beside <c>Billing:BaseAddress</c>'s to which proxied routes may send the token. Default none.</summary>
    public CommaList AllowedOrigins { get; set; } = [];

    public IReadOnlyList<string> ScopeList => Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
