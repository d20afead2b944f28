using System.Buffers;
using System.Text.RegularExpressions;
using Gateway.Customer;
using Gateway.Iso;
using Gateway.Problems;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Proxy;

/// <summary>
/// The last look at a request before YARP forwards it. (1) Upgrades only where a route allows them, and else the methods of
/// <see cref="ForwardedMethods"/>. (2) No expectation but 100-continue. (3) On routes that attach credentials no path whose meaning an
/// upstream might see differently from the router here, (4) and no body from anybody: a form may name another method. (5) What is
/// signed for anybody is exactly the product details call: a signer that signs anything is an oracle.
/// </summary>
internal sealed partial class ProxyGuard(CustomerCountry customerCountry)
{
    /// <summary>What hides a character, ends a segment for some, and control characters.</summary>
    private static readonly SearchValues<char> Suspicious = SearchValues.Create(
        ['%', '\\', ';', .. Enumerable.Range(0, char.MaxValue).Select(code => (char)code).Where(char.IsControl)]);

    private static readonly object HeadersCountry = new();

    private static readonly string[] ProductDetails = ["ag_external_id", "country_code", "callback"];

    /// <summary>Null, or what to answer instead of forwarding.</summary>
    public static IResult? Check(HttpContext context, RouteConfig route)
    {
        // 1
        if (IsUpgrade(context))
        {
            if (!route.AllowsUpgrade())
            {
                return new ProblemResult(Problem.InvalidParameter, "Upgrade: this route does not allow protocol upgrades.", "Upgrade");
            }
        }
        else if (!ForwardedMethods.Contains(context.Request.Method))
        {
            return new ProblemResult(Problem.MethodNotAllowed, allow: ForwardedMethods.Allow);
        }

        // 2
        if (context.Request.Headers.Expect is { Count: > 0 } expect && !expect.ToString().Equals("100-continue", StringComparison.OrdinalIgnoreCase))
        {
            return TypedResults.StatusCode(StatusCodes.Status417ExpectationFailed);
        }

        if (!route.AttachesCredentials())
        {
            return null;
        }

        // 3
        if (!IsPlain(context.Request.Path.Value!))
        {
            return new ProblemResult(Problem.RouteNotFound);
        }

        if (!route.IsAnonymous())
        {
            return null;
        }

        // 4
        if (MayHaveBody(context))
        {
            return new ProblemResult(Problem.InvalidParameter, "body: this call takes none.", "body");
        }

        // 5
        return route.Signs() ? CheckProductDetails(context.Request) : null;
    }

    /// <summary>The country that the request was completed with is one that a header named, or could have named.</summary>
    public static bool HasHeadersCountry(HttpContext context) => context.Items[HeadersCountry] is true;

    /// <summary>Completes a request that <see cref="Check"/> has let pass: left out, Paymentwall would take the country of the data centre.</summary>
    public void Prepare(HttpRequest request, RouteConfig route)
    {
        if (route.Signs() && route.IsAnonymous() && !request.Query.ContainsKey("country_code"))
        {
            request.QueryString = request.QueryString.Add("country_code", customerCountry.Of(request.Headers).Country);
            request.HttpContext.Items[HeadersCountry] = customerCountry.MayComeFromHeader;
        }
    }

    /// <summary>
    /// The server has decoded the path once, but for encoded slashes, and removed dot segments: what still has a percent sign was
    /// encoded twice or hides a slash.
    /// </summary>
    private static bool IsPlain(string path) =>
        !path.AsSpan().ContainsAny(Suspicious) && !path.Contains("//", StringComparison.Ordinal)
        && !(path.Contains("/.", StringComparison.Ordinal) && path.Split('/').Any(segment => segment is "." or ".."));

    private static bool IsUpgrade(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    private static bool MayHaveBody(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0);

    private static ProblemResult? CheckProductDetails(HttpRequest request)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!ProductDetails.Contains(name, StringComparer.Ordinal))
            {
                return Invalid(name, "is not a parameter of this call");
            }

            if (values is not [{ Length: > 0 }])
            {
                return Invalid(name, "is empty or given more than once");
            }
        }

        if (!request.Query.TryGetValue("ag_external_id", out var sku) || sku.ToString().Length > 256)
        {
            return Invalid("ag_external_id", "is missing or longer than 256 characters");
        }

        if (request.Query.TryGetValue("callback", out var callback) && (callback.ToString().Length > 128 || !IdentifierPath().IsMatch(callback.ToString())))
        {
            return Invalid("callback", "is not a JavaScript identifier path of at most 128 characters");
        }

        if (request.Query.TryGetValue("country_code", out var country) && !CountryCode.TryParse(country.ToString(), out _))
        {
            return Invalid("country_code", "is not an ISO 3166-1 alpha-2 code");
        }

        return null;
    }

    private static ProblemResult Invalid(string parameter, string what) => new(
        Problem.InvalidParameter, $"{parameter} {what}. Allowed: {string.Join(", ", ProductDetails)}, each at most once.", parameter);

    [GeneratedRegex(@"\A[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex IdentifierPath();
}
