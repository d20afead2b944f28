using Gateway.AccessTokens;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Egress;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// <c>--check-config --online</c>: one real call to each system, in the order in which a request needs them: (1) a token, (2) the components of
/// the first of <c>Catalog:Products</c>, (3) prices in <c>Catalog:DefaultCountry</c>. Says for each what failed and which key to change, and no
/// secret; the exit code is that of the first failure (docs/operations.md).
/// </summary>
internal static class OnlineCheck
{
    /// <summary>Asked for where no product is configured: that Billing does not know it says as well that it takes the token.</summary>
    private const string Nothing = "online-check";

    /// <summary>Prices that are asked for at most; it is enough that one is sold.</summary>
    private const int MostPrices = 10;

    /// <summary>0, or the exit code of the first step that failed.</summary>
    public static async Task<int> RunAsync(IServiceProvider services, TextWriter output)
    {
        var options = services.GetRequiredService<IOptions<AccessTokensOptions>>().Value;
        var tokens = services.GetRequiredService<AccessTokenProvider>();
        var endpoint = options.EffectiveTokenEndpoint is null ? "AccessTokens:Authority" : "AccessTokens:TokenEndpoint";
        var token = await tokens.GetAsync(CancellationToken.None);
        var failed = Say("Access token", token is null ? OfToken(tokens.Health.LastCause ?? "unknown", endpoint, services) : null);
        IReadOnlyList<BillingComponent>? components = null;
        if (token is not null)
        {
            (components, var ofBilling) = await BillingAsync(services);
            failed = Say("Billing", ofBilling) is var code && failed == 0 ? code : failed;
        }

        return Say("Paymentwall", await PaymentwallAsync(services, components ?? [])) is var last && failed == 0 ? last : failed;

        int Say(string step, (int Code, string Cause, string Key)? failure)
        {
            output.WriteLine(failure is var (_, cause, key) ? $"{step}: failed, {cause}. Change {key}." : $"{step}: works.");
            return failure?.Code ?? 0;
        }
    }

    private static async Task<(IReadOnlyList<BillingComponent>?, (int, string, string)?)> BillingAsync(IServiceProvider services)
    {
        var product = services.GetRequiredService<IOptions<CatalogOptions>>().Value.Products.FirstOrDefault();
        var result = await services.GetRequiredService<BillingClient>()
            .ListComponentsAsync(new ComponentsRequest(product ?? Nothing, "active", Language: null, Sandbox: false), new RequestTimings(), CancellationToken.None);
        if (!result.TryGet(out var components, out var failure))
        {
            var cause = services.GetRequiredKeyedService<UpstreamTransport>(BillingOptions.Section).Health.LastCause ?? failure.Name();
            return (null, cause is "401" or "403" || failure == UpstreamFailure.TokenUnavailable
                ? (18, $"it refuses the token ({cause})", "AccessTokens:Audience or AccessTokens:Scopes")
                : OfCall(cause, "Billing:BaseAddress", services));
        }

        return (components, components is null && product is not null ? (19, $"it does not know the product {product}", "Catalog:Products") : null);
    }

    private static async Task<(int, string, string)?> PaymentwallAsync(IServiceProvider services, IReadOnlyList<BillingComponent> components)
    {
        var country = services.GetRequiredService<IOptions<CatalogOptions>>().Value.DefaultCountry.ToUpperInvariant();
        var rules = services.GetRequiredService<CatalogRules>();
        var skus = components.Select(rules.SkuOf).OfType<string>().Distinct(StringComparer.Ordinal).Take(MostPrices).ToList();
        foreach (var sku in skus.DefaultIfEmpty(Nothing))
        {
            var result = await services.GetRequiredService<PaymentwallClient>().GetProductAsync(new PriceRequest(sku, country), new RequestTimings(), CancellationToken.None);
            if (!result.TryGet(out var product, out var failure))
            {
                var cause = services.GetRequiredKeyedService<UpstreamTransport>(PaymentwallOptions.Section).Health.LastCause ?? failure.Name();
                return failure == UpstreamFailure.Rejected && !cause.StartsWith('5')
                    ? (20, $"it refuses the key or the signature ({cause})", "Paymentwall:ProjectKey, Paymentwall:SecretKey or Paymentwall:SignatureVersion")
                    : OfCall(cause, "Paymentwall:BaseAddress", services);
            }

            if (product is not null)
            {
                return null;
            }
        }

        return skus.Count == 0 ? null : (21, $"it sells none of {string.Join(", ", skus)} in {country}", "Catalog:SkuMap or Catalog:SkuTemplate");
    }

    private static (int, string, string) OfToken(string cause, string endpoint, IServiceProvider services) => cause switch
    {
        TokenServerHandler.NoDiscovery => (15, "there is no discovery document", "AccessTokens:Authority, or set AccessTokens:TokenEndpoint"),
        "invalid_client" or "unauthorized_client" => (16, $"the server refuses the client ({cause})", "AccessTokens:ClientId or AccessTokens:ClientSecret"),
        "invalid_scope" or "invalid_target" or "invalid_request" or "access_denied" =>
            (17, $"the server refuses scope or audience ({cause})", "AccessTokens:Scopes or AccessTokens:Audience"),
        _ => OfCall(cause, endpoint, services),
    };

    private static (int, string, string) OfCall(string cause, string address, IServiceProvider services) => cause switch
    {
        FailureCause.NameNotResolved => (10, "the name does not resolve", address),
        FailureCause.ConnectionRefused => (11, "the connection is refused", address),
        FailureCause.CertificateNotTrusted => (12, "the certificate is not trusted", $"SSL_CERT_FILE, or {address}"),
        FailureCause.CertificateStoreUnusable => (12, "the certificate store cannot be used", "HOME"),
        FailureCause.NotTls => (13, "what answers does not speak TLS", address),
        FailureCause.ProxyAuthenticationRequired => (14, "the proxy wants credentials, or others (407)", $"Proxy:User and Proxy:Password, or those in {NameOfProxy(services)}"),
        FailureCause.ProxyNameNotResolved => (23, "the proxy's name does not resolve", NameOfProxy(services)),
        FailureCause.ProxyConnectionRefused => (23, "the proxy refuses the connection", NameOfProxy(services)),
        FailureCause.ProxyUnreachable => (23, "the proxy gives no connection", NameOfProxy(services)),
        FailureCause.ProxyRefused => (24, "the proxy does not let it through", $"the proxy's own rules, or NO_PROXY, or {address}"),
        FailureCause.UnreachableBehindProxy => (24, "the proxy does not reach it", $"NO_PROXY, or {address}"),
        _ => (22, $"no usable answer ({cause})", address),
    };

    /// <summary>The key or the variable that names it.</summary>
    private static string NameOfProxy(IServiceProvider services) =>
        string.Join(" or ", services.GetRequiredService<EgressProxy>().Hops.Select(hop => hop.Source).Distinct(StringComparer.Ordinal));
}
