using Microsoft.Extensions.Options;

namespace Gateway.AccessTokens;

internal sealed class AccessTokensOptionsValidator : IValidateOptions<AccessTokensOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessTokensOptions options)
    {
        var errors = new List<string>();
        if (options.Authority is not { IsAbsoluteUri: true, Scheme: "https", UserInfo: "", Query: "", Fragment: "" })
        {
            errors.Add("AccessTokens:Authority: must be an absolute https address without user, query or fragment, such as https://oauth.prestashop.com/.");
        }

        if (options.TokenEndpoint is not (null or { IsAbsoluteUri: true, Scheme: "https", UserInfo: "", Query: "", Fragment: "" }))
        {
            errors.Add("AccessTokens:TokenEndpoint: must be an absolute https address without user, query or fragment, such as https://oauth.prestashop.com/oauth2/token, or absent.");
        }
        else if (options.Authority is { IsAbsoluteUri: true } && options.IsContradictory)
        {
            errors.Add("AccessTokens:TokenEndpoint: is on another host than AccessTokens:Authority; remove one of them.");
        }

        if (options.ScopeList.Count == 0)
        {
            errors.Add("AccessTokens:Scopes: needs at least one scope, such as openid.");
        }

        if (options.EncryptionKey.Length > 0 && !TokenCipher.TryDecodeKey(options.EncryptionKey, out _))
        {
            errors.Add("AccessTokens:EncryptionKey: must be 32 bytes in base64 (openssl rand -base64 32), or empty.");
        }

        foreach (var origin in options.AllowedOrigins.Where(origin => !IsOrigin(origin)))
        {
            errors.Add($"AccessTokens:AllowedOrigins: '{origin}' is not an origin; write https://host or https://host:port.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback))
        && uri is { UserInfo: "", Query: "", Fragment: "", AbsolutePath: "/" };
}
