using System.Buffers;
using System.Text.RegularExpressions;
using Gateway.Iso;
using Gateway.Problems;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Proxy;

/// <summary>
/// The last look at a request before YARP forwards it. (1) Upgrades only where a route allows them. (2) On routes that attach
/// credentials no path whose meaning an upstream might see differently from the router here. (3) What is signed for anybody is
/// exactly the product details call: a signer that signs anything is an oracle.
/// </summary>
internal sealed partial class ProxyGuard(CustomerCountry customerCountry)
{
    /// <summary>What hides a character, ends a segment for some, and control characters.</summary>
    private static readonly SearchValues<char> Suspicious = SearchValues.Create(
        ['%', '\\', ';', .. Enumerable.Range(0, char.MaxValue).Select(code => (char)code).Where(char.IsControl)]);

    private static readonly string[] ProductDetails = ["ag_external_id", "country_code", "callback"];

    /// <summary>Null, or the problem to answer with.</summary>
    public ProblemResult? Check(HttpContext context, RouteConfig route)
    {
        // 1
        if (IsUpgrade(context) && !route.AllowsUpgrade())
        {
            return new ProblemResult(Problem.InvalidParameter, "Upgrade: this route does not allow protocol upgrades.", "Upgrade");
        }

        if (!route.AttachesCredentials())
        {
            return null;
        }

        // 2
        if (!IsPlain(context.Request.Path.Value!))
        {
            return new ProblemResult(Problem.RouteNotFound);
        }

        // 3
        return route.Signs() && route.IsAnonymous() ? CheckProductDetails(context.Request) : null;
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

    private ProblemResult? CheckProductDetails(HttpRequest request)
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

        if (!request.Query.TryGetValue("country_code", out var country))
        {
            // Left out, Paymentwall would take the country of the data centre.
            request.QueryString = request.QueryString.Add("country_code", customerCountry.Of(request.Headers).Country);
        }
        else if (!CountryCode.TryParse(country.ToString(), out _))
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
