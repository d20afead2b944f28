using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Iso;
using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Tests.Fuzzing;

public sealed class ProxyGuardFuzzTests
{
    private static readonly string[] CallbackWords =
    [
        "&callback=", "callback=", "fn", "$", "_", ".", "..", "a.b.c", "$.ajax_1", "[0]", "(", ")", "()", ";", "alert(1)//", "</script>", "%3Cscript%3E", "%0A", "%0D%0A", "%E2%80%A8", "%E2%80%A9", "%00", "%2E",
        "%C3%A9", "\\u0061", "1", "Z", "-", "%20", "+", "/**/", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "CALLBACK=", "callback[]=", "&country_code=", "&country_code=fr", "&ag_external_id=", "ag_external_id=x", "&", "=", "&key=", "&sign=", "&x=1", "&&",
    ];

    private static readonly string[] PathWords =
    [
        "/", "//", "\\", ".", "..", "/../", "/./", "%", "%2e", "%2E%2e", "%2f", "%5C", "%252e%252e", "%25", "%00", ";", ";a=b", "..;", "/v1/products/", "components", "a", "0", "~", "-", "_", "\u0001", "\u007F", "\u0085", "\uFF0E", "\uFF0F", "\u2024", "\u2215", " ", "?", "#",
    ];

    private static readonly RouteConfig ProductDetails = new()
    {
        RouteId = "open",
        AuthorizationPolicy = "anonymous",
        Match = new RouteMatch(),
        Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { [CredentialRoute.PaymentwallSignature] = "true" }],
    };

    private static readonly RouteConfig Billing = new()
    {
        RouteId = "billing",
        AuthorizationPolicy = "proxy",
        Match = new RouteMatch(),
        Transforms = [new Dictionary<string, string>(StringComparer.Ordinal) { [CredentialRoute.AccessToken] = "true" }],
    };

    private readonly ProxyGuard _guard = new(new CustomerCountry(Fixed.Options(new CatalogOptions { DefaultCountry = "jp" })));

    /// <summary>A case is the query of a call to the product details.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_call_that_anybody_may_have_signed_has_a_callback_that_is_only_a_name_and_nothing_that_is_not_listed() => FuzzRun.OfTextAsync("callback", CallbackWords, text =>
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "GET";
        context.Request.Path = "/paymentwall/api/rest/product";
        context.Request.QueryString = new QueryString("?" + text);

        var refused = ProxyGuard.Check(context, ProductDetails) is not null;

        var query = NaiveQuery.Parse(text);
        var sku = query.Where(pair => pair.Key == "ag_external_id").ToList();
        var country = query.Where(pair => pair.Key == "country_code").ToList();
        var callback = query.Where(pair => pair.Key == "callback").ToList();
        var sound = sku is [{ Value.Length: > 0 and <= 256 }]
            && (country is [] || (country is [{ Value: var code }] && code.All(char.IsAsciiLetter) && CountryCode.TryParse(code, out _)))
            && (callback is [] || (callback is [{ Value: var name }] && IsIdentifierPath(name)))
            && query.Count == sku.Count + country.Count + callback.Count;
        Assert.Equal(sound, !refused);
        if (refused)
        {
            return false;
        }

        // Whoever reads the query next (the signer) finds the same and a country.
        _guard.Prepare(context.Request, ProductDetails);
        var names = context.Request.Query.Keys.Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(callback is [] ? ["ag_external_id", "country_code"] : ["ag_external_id", "callback", "country_code"], names);
        Assert.Equal(country is [var given] ? given.Value : "JP", context.Request.Query["country_code"]);
        Assert.All(context.Request.Query, pair => Assert.Single(pair.Value));
        Assert.Equal(sku[0].Value, context.Request.Query["ag_external_id"]);
        return true;
    });

    /// <summary>A case is a path as the server hands it over, decoded once.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_path_that_is_forwarded_with_credentials_means_the_same_to_whoever_decodes_or_tidies_it_again() => FuzzRun.OfTextAsync("path", PathWords, text =>
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "GET";
        context.Request.Path = new PathString("/" + text.TrimStart('/'));
        var path = context.Request.Path.Value!;

        var refused = ProxyGuard.Check(context, Billing) is not null;

        if (refused)
        {
            Assert.False(path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '~') && !path.Contains("//", StringComparison.Ordinal), path);
            return false;
        }

        Assert.Equal(path, Tidied(path));
        Assert.DoesNotContain(path, char.IsControl);
        return true;
    });

    /// <summary>A state machine: what begins a name, what goes on with it, and a dot only between two.</summary>
    private static bool IsIdentifierPath(string text)
    {
        var begun = false;
        foreach (var c in text)
        {
            var starts = c is '$' or '_' || (c | 0x20) is >= 'a' and <= 'z' && c < 128;
            if (begun && c == '.')
            {
                begun = false;
            }
            else if (starts || (begun && c is >= '0' and <= '9'))
            {
                begun = true;
            }
            else
            {
                return false;
            }
        }

        return begun && text.Length <= 128;
    }

    /// <summary>What upstreams, their proxies and frameworks are known to do to a path, all of it, until nothing changes any more.</summary>
    private static string Tidied(string path)
    {
        while (true)
        {
            var decoded = Uri.UnescapeDataString(path).Replace('\\', '/');
            var segments = new List<string>();
            foreach (var segment in decoded.Split('/'))
            {
                var bare = segment.Split(';')[0];
                if (bare == "..")
                {
                    if (segments.Count > 1)
                    {
                        segments.RemoveAt(segments.Count - 1);
                    }
                }
                else if (bare != ".")
                {
                    segments.Add(bare);
                }
            }

            var tidied = string.Join('/', segments);
            while (tidied.Contains("//", StringComparison.Ordinal))
            {
                tidied = tidied.Replace("//", "/", StringComparison.Ordinal);
            }

            if (tidied == path)
            {
                return path;
            }

            path = tidied;
        }
    }
}
