using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Identity.Client;

namespace Gateway.AccessTokens;

/// <summary>
/// Between MSAL and the token server. MSAL wants a discovery document whose issuer has the authority's host, and a token response as most
/// servers write it; RFC 6749 asks for neither. So discovery is answered from the configuration where that names the token endpoint, and
/// what a server says is read as liberally as the standard lets it speak, and handed on in one form.
/// </summary>
internal sealed class TokenServerHandler(Func<AccessTokensOptions> options, TimeProvider time, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>RFC 6749 §5.1 only recommends <c>expires_in</c>. Where it is missing or no number, a short life is assumed, never "forever".</summary>
    internal static readonly TimeSpan AssumedLife = TimeSpan.FromSeconds(60);

    /// <summary>A server that says more is not believed: the token is renewed then.</summary>
    internal static readonly TimeSpan LongestLife = TimeSpan.FromDays(30);

    /// <summary>There is no discovery document, and nothing that makes it unnecessary.</summary>
    internal const string NoDiscovery = "discovery_missing";

    private const int MaxBytes = 1024 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var isDiscovery = request.Method == HttpMethod.Get;
        if (isDiscovery && options().EffectiveTokenEndpoint is { } known)
        {
            return Json(request, Discovery(known));
        }

        var response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (isDiscovery && response.StatusCode == HttpStatusCode.NotFound)
        {
            response.Dispose();
            throw Unusable(NoDiscovery);
        }

        if (!response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            return Json(request, isDiscovery ? Discovery(TokenEndpoint(body)) : Token(body));
        }
    }

    /// <summary>What MSAL wants to see of a server whose token endpoint this is.</summary>
    private JsonObject Discovery(Uri tokenEndpoint)
    {
        var authority = options().EffectiveAuthority.AbsoluteUri;
        return new JsonObject
        {
            ["issuer"] = authority,
            ["authorization_endpoint"] = authority,
            ["token_endpoint"] = tokenEndpoint.AbsoluteUri,
        };
    }

    /// <summary>The document came by TLS from the configured authority, so its word counts, whatever issuer it names.</summary>
    private static Uri TokenEndpoint(ReadOnlySpan<byte> body) =>
        Uri.TryCreate(Text(Read(body), "token_endpoint"), UriKind.Absolute, out var endpoint) && endpoint.Scheme == Uri.UriSchemeHttps
            ? endpoint
            : throw Unusable("no_https_token_endpoint_in_discovery");

    private JsonObject Token(ReadOnlySpan<byte> body)
    {
        var response = Read(body);
        var token = Text(response, "access_token") is { Length: > 0 } given ? given : throw Unusable("no_access_token");
        if (response.TryGetProperty("token_type", out var type) && type.ValueKind != JsonValueKind.Null && !"bearer".Equals(AsText(type), StringComparison.OrdinalIgnoreCase))
        {
            throw Unusable("unsupported_token_type");
        }

        var life = ExpiresIn(response) ?? AssumedLife;
        if (LifeOfJwt(token, time.GetUtcNow()) is { } own && own > TimeSpan.Zero && own < life)
        {
            life = own;
        }

        return new JsonObject
        {
            ["access_token"] = token,
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)Math.Max(1, Math.Floor(life.TotalSeconds)),
        };
    }

    /// <summary>In seconds, however it is spelt; null where there is none that makes sense.</summary>
    internal static TimeSpan? ExpiresIn(JsonElement response) =>
        response.TryGetProperty("expires_in", out var value)
        && (value.ValueKind is JsonValueKind.Number ? value.GetRawText() : AsText(value)) is { } text
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
        && seconds >= 1
            ? seconds >= LongestLife.TotalSeconds ? LongestLife : TimeSpan.FromSeconds(Math.Floor(seconds))
            : null;

    /// <summary>
    /// What a JWT says of itself, by the clock that issued it where it says when that was. Null for what is no JWT. Its signature is
    /// Billing's business.
    /// </summary>
    internal static TimeSpan? LifeOfJwt(string token, DateTimeOffset now)
    {
        try
        {
            var parts = token.Split('.');
            if (parts.Length != 3)
            {
                return null;
            }

            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return Seconds(claims.RootElement, "exp") is { } expires
                ? TimeSpan.FromSeconds(expires - (Seconds(claims.RootElement, "iat") ?? now.ToUnixTimeSeconds()))
                : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or InvalidOperationException or OverflowException or ArgumentException)
        {
            return null;
        }

        static double? Seconds(JsonElement claims, string name) => claims.TryGetProperty(name, out var value) && value.TryGetDouble(out var seconds) ? seconds : null;
    }

    private static JsonElement Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body.StartsWith("\uFEFF"u8) ? body[3..] : body);
            var read = JsonElement.ParseValue(ref reader);
            return read.ValueKind == JsonValueKind.Object && !reader.Read() ? read : throw Unusable("no_json_object");
        }
        catch (JsonException)
        {
            throw Unusable("no_json_object");
        }
    }

    private static string? Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) ? AsText(value) : null;

    private static string? AsText(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8.
            return null;
        }
    }

    private static MsalClientException Unusable(string code) => new(code, "The token server's answer cannot be used.");

    private static HttpResponseMessage Json(HttpRequestMessage request, JsonObject body) => new(HttpStatusCode.OK)
    {
        Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        RequestMessage = request,
    };
}
