using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Gateway.Configuration;
using Gateway.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Gateway.Security;

/// <summary>
/// Authenticates the header <c>X-Api-Key</c>. The key's hash is compared with every configured one, each in constant time, so that
/// neither which one matched nor how nearly shows in the time it takes. Keys follow the configuration while the gateway runs.
/// </summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, IOptionsMonitor<SecurityOptions> security, TimeProvider time)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string HeaderName = "X-Api-Key";

    /// <summary>The OpenAPI document of the administrative calls.</summary>
    public const string AdministrationDocument = "/admin/swagger.json";

    /// <summary>What people open in a browser, which has no way to send a header of ours: there a key may come as the password of Basic authentication.</summary>
    private bool IsForBrowsers =>
        Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase) || Request.Path.Equals(AdministrationDocument, StringComparison.OrdinalIgnoreCase);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers[HeaderName];
        if (header.Count == 0 && IsForBrowsers)
        {
            header = BasicPassword(Request.Headers.Authorization);
        }

        if (header.Count == 0)
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(header.ToString()));
        ApiKeyOptions? found = null;
        foreach (var key in security.CurrentValue.ApiKeys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, Convert.FromHexString(key.Sha256)))
            {
                found = key;
            }
        }

        if (found is null || header.Count != 1 || found.ExpiresAt <= time.GetUtcNow())
        {
            return Task.FromResult(AuthenticateResult.Fail("The API key is not valid."));
        }

        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.Name, found.Name), .. found.Roles.Select(role => new Claim(ClaimTypes.Role, role))], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (IsForBrowsers)
        {
            Response.OnStarting(() =>
            {
                Response.Headers.WWWAuthenticate = StringValues.Concat(Response.Headers.WWWAuthenticate, "Basic realm=\"An API key as the password\", charset=\"UTF-8\"");
                return Task.CompletedTask;
            });
        }

        return new ProblemResult(Problem.Unauthenticated, $"Send one valid key in the header {HeaderName}.").ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        new ProblemResult(Problem.Forbidden, $"The key in the header {HeaderName} does not have the role that this needs.").ExecuteAsync(Context);

    /// <summary>Empty for anything else.</summary>
    private static StringValues BasicPassword(StringValues authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var value) || !"Basic".Equals(value.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return StringValues.Empty;
        }

        var credentials = new byte[value.Parameter?.Length ?? 0];
        return Convert.TryFromBase64String(value.Parameter ?? string.Empty, credentials, out var length)
            && Encoding.UTF8.GetString(credentials, 0, length) is var text
            && text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? text[(colon + 1)..] : StringValues.Empty;
    }
}
