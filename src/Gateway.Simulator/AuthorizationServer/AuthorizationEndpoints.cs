using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Simulator.Hosting;

namespace Gateway.Simulator.AuthorizationServer;

/// <summary>
/// Discovery, keys and the token endpoint. Errors are those of RFC 6749 §5.2; an audience that is not known is
/// <c>invalid_target</c> (RFC 8707 §2, whose <c>resource</c> the vendor's <c>audience</c> stands for), a missing one
/// <c>invalid_request</c>.
/// </summary>
internal static class AuthorizationEndpoints
{
    private static readonly string[] Single = ["grant_type", "client_id", "client_secret", "audience", "scope"];

    public static void Map(IEndpointRouteBuilder app, SimulatorState state)
    {
        app.MapMethods("/.well-known/openid-configuration", ["GET", "HEAD"],
            context => state.Options.Discovery ? Answers.SendJsonAsync(context, 200, Discovery(state)) : Results.NotFound().ExecuteAsync(context));
        app.MapMethods("/.well-known/jwks.json", ["GET", "HEAD"],
            context => Answers.SendJsonAsync(context, 200, state.Tokens.KeySet));
        app.MapPost("/oauth2/token", context => TokenAsync(context, state));
    }

    private static object Discovery(SimulatorState state)
    {
        var issuer = state.Tokens.Issuer;
        return new
        {
            issuer,
            authorization_endpoint = issuer + "oauth2/auth",
            token_endpoint = issuer + "oauth2/token",
            jwks_uri = issuer + ".well-known/jwks.json",
            response_types_supported = new[] { "code" },
            subject_types_supported = new[] { "public" },
            id_token_signing_alg_values_supported = new[] { "RS256" },
            grant_types_supported = new[] { "client_credentials" },
            token_endpoint_auth_methods_supported = new[] { "client_secret_basic" },
            scopes_supported = SimulatorOptions.Words(state.Options.Scopes),
        };
    }

    private static async Task TokenAsync(HttpContext context, SimulatorState state)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
        if (await FormAsync(context.Request) is not { } form)
        {
            await RefuseAsync(context, 400, "invalid_request", "The request is a form: application/x-www-form-urlencoded.");
            return;
        }

        if (Array.Find(Single, name => form[name].Count > 1) is { } repeated)
        {
            await RefuseAsync(context, 400, "invalid_request", $"The parameter {repeated} is given more than once.");
            return;
        }

        // RFC 6749 §3.2: a parameter without a value counts as omitted.
        string? Parameter(string name) => form[name].ToString() is { Length: > 0 } value ? value : null;

        var secretInBody = form.ContainsKey("client_secret");
        if (ClientError(context.Request, Parameter("client_id"), secretInBody, state.Options) is { } clientError)
        {
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"oauth\", charset=\"UTF-8\"";
            await RefuseAsync(context, 401, "invalid_client", clientError);
            return;
        }

        var audiences = SimulatorOptions.Words(Parameter("audience") ?? "");
        var scopes = SimulatorOptions.Words(Parameter("scope") ?? "");
        if (GrantError(Parameter("grant_type"), audiences, scopes, state.Options) is var (error, description))
        {
            await RefuseAsync(context, 400, error, description);
            return;
        }

        var settings = state.Tokens.Settings;
        var answer = JsonSerializer.SerializeToNode(
            new TokenAnswer(
                state.Tokens.Issue(state.Options.ClientId, audiences, scopes, settings.LifetimeSeconds),
                settings.OmitTokenType ? null : "bearer",
                settings.OmitExpiresIn ? null : settings.LifetimeSeconds,
                string.Join(' ', scopes)))!.AsObject();
        foreach (var (name, value) in settings.Patch ?? [])
        {
            answer.Remove(name);
            if (value is not null)
            {
                answer[name] = value.DeepClone();
            }
        }

        await Answers.SendJsonAsync(context, 200, answer);
    }

    private static async Task<IFormCollection?> FormAsync(HttpRequest request)
    {
        var mediaType = request.ContentType?.Split(';')[0].Trim();
        if (!string.Equals(mediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        try
        {
            return await request.ReadFormAsync(request.HttpContext.RequestAborted);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static string? ClientError(HttpRequest request, string? clientId, bool secretInBody, SimulatorOptions options)
    {
        if (secretInBody)
        {
            return "This client authenticates by client_secret_basic; client_secret in the body is not accepted.";
        }

        if (ClientCredentials.Read(request.Headers.Authorization) is not var (id, secret))
        {
            return "HTTP Basic is missing or malformed; id and secret are form-url-encoded before base64.";
        }

        var known = ClientCredentials.Same(id, options.ClientId) & ClientCredentials.Same(secret, options.ClientSecret);
        return known && (clientId is null || clientId == options.ClientId) ? null : "Unknown client, or wrong secret.";
    }

    private static (string Error, string Description)? GrantError(
        string? grantType, string[] audiences, string[] scopes, SimulatorOptions options)
    {
        if (grantType is null)
        {
            return ("invalid_request", "grant_type is missing.");
        }

        if (grantType != "client_credentials")
        {
            return ("unsupported_grant_type", "Only client_credentials is supported.");
        }

        if (audiences.Length == 0)
        {
            return ("invalid_request", "audience is missing.");
        }

        if (audiences.Except(SimulatorOptions.Words(options.Audience), StringComparer.Ordinal).Any())
        {
            return ("invalid_target", "The requested audience is unknown.");
        }

        return scopes.Except(SimulatorOptions.Words(options.Scopes), StringComparer.Ordinal).Any()
            ? ("invalid_scope", "The client may not request one of these scopes.")
            : null;
    }

    private static Task RefuseAsync(HttpContext context, int status, string error, string description) =>
        Answers.SendAsync(context, status, Answers.OAuthError(error, description));

    private sealed record TokenAnswer(
        [property: JsonPropertyName("access_token")] string AccessToken,
        [property: JsonPropertyName("token_type"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? TokenType,
        [property: JsonPropertyName("expires_in"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? ExpiresIn,
        [property: JsonPropertyName("scope")] string Scope);
}
