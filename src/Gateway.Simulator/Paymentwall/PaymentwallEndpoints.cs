using System.Text;
using Gateway.Simulator.Control;
using Gateway.Simulator.Hosting;
using Gateway.Simulator.Requests;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Simulator.Paymentwall;

/// <summary>
/// The Product Details API. The vendor does not document its errors: 403 for a key or signature that is not right, 400 for
/// anything else, always as plain JSON, is this simulator's choice.
/// </summary>
internal static class PaymentwallEndpoints
{
    private const int MaxSkuLength = 256;
    private const int MaxCallbackLength = 128;

    /// <summary>The country of every caller's IP address: the simulator stands in an American data centre.</summary>
    private const string CountryOfIp = "US";

    public static void Map(IEndpointRouteBuilder app, SimulatorState state) =>
        app.MapMethods("/api/rest/product", ["GET", "HEAD"], context => ProductAsync(context, state));

    private static async Task ProductAsync(HttpContext context, SimulatorState state)
    {
        var parameters = Parameters(context.Request);
        if (Error(parameters, state.Options) is var (status, code, message))
        {
            await Answers.SendAsync(context, status, Answers.PaymentwallError(code, message));
            return;
        }

        var country = parameters.GetValueOrDefault("country_code")?.ToUpperInvariant();
        if (country is null)
        {
            country = CountryOfIp;
            context.Features.GetRequiredFeature<RequestRecord>().CountryFromIp = CountryOfIp;
        }

        var sku = parameters["ag_external_id"];
        var body = state.PriceOverrides.Find(ControlEndpoints.PriceName(sku, country))
            ?? state.PriceOverrides.Find(sku)
            ?? state.Prices.Find(sku, country) ?? "[]"u8.ToArray();
        if (parameters.GetValueOrDefault("callback") is { } callback)
        {
            byte[] script = [.. Encoding.ASCII.GetBytes(callback), .. "("u8, .. body, .. ");"u8];
            await Answers.SendAsync(context, 200, script, "application/javascript");
            return;
        }

        await Answers.SendAsync(context, 200, body, "application/json");
    }

    /// <summary>Decoded; of a repeated one the last counts, as in PHP. ASP.NET's query would merge names of other case.</summary>
    private static Dictionary<string, string> Parameters(HttpRequest request)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in new QueryStringEnumerable(request.QueryString.Value))
        {
            parameters[pair.DecodeName().ToString()] = pair.DecodeValue().ToString();
        }

        return parameters;
    }

    private static (int Status, int Code, string Message)? Error(Dictionary<string, string> parameters, SimulatorOptions options)
    {
        if (!PaymentwallSignature.Same(parameters.GetValueOrDefault("key"), options.ProjectKey))
        {
            return (403, 1, "Invalid project key");
        }

        var version = parameters.GetValueOrDefault("sign_version");
        if (PaymentwallSignature.Compute(parameters, version, options.ProjectSecret) is not { } sign)
        {
            return (403, 2, "Invalid signature version");
        }

        if (!PaymentwallSignature.Same(parameters.GetValueOrDefault("sign"), sign))
        {
            return (403, 3, "Invalid signature");
        }

        if (parameters.GetValueOrDefault("ag_external_id") is not { Length: > 0 and <= MaxSkuLength })
        {
            return (400, 4, "ag_external_id is required, at most 256 characters");
        }

        if (parameters.TryGetValue("country_code", out var country) && !(country.Length == 2 && country.All(char.IsAsciiLetter)))
        {
            return (400, 5, "country_code is not an ISO 3166-1 alpha-2 code");
        }

        return parameters.TryGetValue("callback", out var callback) && !IsIdentifierPath(callback)
            ? (400, 6, "callback is not a JavaScript function name")
            : null;
    }

    private static bool IsIdentifierPath(string text) => text.Length <= MaxCallbackLength && text.Split('.').All(part =>
        part.Length > 0 && !char.IsAsciiDigit(part[0]) && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '$'));
}
