using Gateway.Configuration;

namespace Gateway.AccessTokens;

/// <summary>Section <c>AccessTokens</c>: the PrestaShop authorization server and the gateway's credentials there.</summary>
internal sealed class AccessTokensOptions
{
    public const string Section = "AccessTokens";

    /// <summary>OpenID Connect authority; its discovery document names the token endpoint. Always https.</summary>
    public Uri? Authority { get; set; } = new("https://oauth.prestashop.com/");

    /// <summary>Required.</summary>
    public string ClientId { get; set; } = string.Empty;

    /// <summary>Required; a secret.</summary>
    [Secret]
    public string ClientSecret { get; set; } = string.Empty;

    /// <summary>Audience of the token; several are separated by a space. Default <c>distribution.prestashop.net</c>.</summary>
    public string Audience { get; set; } = "distribution.prestashop.net";

    /// <summary>Scopes, separated by a space. Default <c>openid</c>.</summary>
    public string Scopes { get; set; } = "openid";

    /// <summary>
    /// 32 bytes in base64 that encrypt the token in Redis. Empty (default): derived from <see cref="ClientSecret"/>. A secret; the
    /// same on every replica. Replicas with different keys keep different tokens and do not disturb each other.
    /// </summary>
    [Secret]
    public string EncryptionKey { get; set; } = string.Empty;

    /// <summary>Origins (<c>https://host:port</c>) beside <c>Billing:BaseAddress</c>'s to which proxied routes may send the token. Default none.</summary>
    public CommaList AllowedOrigins { get; set; } = [];

    public IReadOnlyList<string> ScopeList => Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
