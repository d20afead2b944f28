using System.Security.Cryptography;
using System.Text;
using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Tests.Fuzzing;

public sealed class SignatureFuzzTests
{
    private const string Key = "our key&=%+\u00E9";
    private const string Secret = "our secret";

    private static readonly string[] Words =
    [
        "key=", "sign=", "sign_version=", "KEY=", "Sign=", "SIGN_VERSION=1", "%6Bey=", "sig%6E=", "key[]=", "sign.version=", "+key=", "ag_external_id=", "country_code=US", "callback=", "&", "=",
        "%26", "%3D", "%2B", "+", "%20", "%C3%A9", "%F0%9F%98%80", "%FF", "%", "%00", "#", "?", "a=", "A=", "b=", "aa=", "sign_versio=", "signature=", "\u00E9",
    ];

    private readonly PaymentwallSignatureTransform[] _transforms =
    [
        .. new[] { 2, 3 }.Select(version => new PaymentwallSignatureTransform(Fixed.Options(new PaymentwallOptions { ProjectKey = Key, SecretKey = Secret, SignatureVersion = version }))),
    ];

    private int _turn;

    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task What_is_sent_is_what_the_caller_asked_with_our_key_and_the_signature_of_exactly_that() => FuzzRun.OfTextAsync("signature", Words, async text =>
    {
        var version = 2 + (_turn++ & 1);
        var http = new DefaultHttpContext();
        http.Request.QueryString = new QueryString("?" + text);
        using var request = new HttpRequestMessage(HttpMethod.Get, (Uri?)null);
        var context = new RequestTransformContext
        {
            HttpContext = http,
            ProxyRequest = request,
            DestinationPrefix = "https://paymentwall.example/",
            Path = "/api/rest/product",
            Query = new QueryTransformContext(http.Request),
            HeadersCopied = true,
        };

        await _transforms[version - 2].ApplyAsync(context);

        var callers = NaiveQuery.Parse(text).Where(pair => pair.Key.ToUpperInvariant() is not ("KEY" or "SIGN" or "SIGN_VERSION")).ToList();
        if (callers.Select(pair => pair.Key).Distinct(StringComparer.OrdinalIgnoreCase).Count() < callers.Count)
        {
            Assert.Equal(400, http.Response.StatusCode);
            Assert.Null(request.RequestUri);
            return false;
        }

        Assert.Equal(200, http.Response.StatusCode);
        Assert.Equal("https://paymentwall.example/api/rest/product", request.RequestUri!.GetLeftPart(UriPartial.Path));
        Assert.Empty(request.RequestUri.Fragment);
        var sent = NaiveQuery.Parse(request.RequestUri.Query[1..]);
        var sign = Assert.Single(sent.Values("sign"));
        Assert.Equal(Key, Assert.Single(sent.Values("key")));
        Assert.Equal(version == 3 ? "3" : "2", Assert.Single(sent.Values("sign_version")));
        Assert.Equal(callers.Select(Readable), sent.Take(sent.Count - 3).Select(Readable));
        Assert.Equal(["key", "sign_version", "sign"], sent.TakeLast(3).Select(pair => pair.Key));
        Assert.Equal(Naive([.. sent.SkipLast(1)], version), sign);

        // The address is ASCII, and reads as the same however often it is parsed.
        Assert.True(Ascii.IsValid(request.RequestUri.PathAndQuery));
        Assert.Equal(request.RequestUri.AbsoluteUri, new Uri(request.RequestUri.AbsoluteUri).AbsoluteUri);
        return true;
    });

    /// <summary>A lone half of a character cannot be sent; it becomes the replacement character, in the address as in what is signed.</summary>
    private static string Readable(KeyValuePair<string, string> pair) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(pair.Key + "=" + pair.Value));

    /// <summary>The vendor's recipe step by step: sort by name, put together, add the secret, hash.</summary>
    private static string Naive(List<KeyValuePair<string, string>> parameters, int version)
    {
        for (var i = 1; i < parameters.Count; i++)
        {
            for (var j = i; j > 0 && string.CompareOrdinal(parameters[j - 1].Key, parameters[j].Key) > 0; j--)
            {
                (parameters[j - 1], parameters[j]) = (parameters[j], parameters[j - 1]);
            }
        }

        using var hash = IncrementalHash.CreateHash(version == 3 ? HashAlgorithmName.SHA256 : HashAlgorithmName.MD5);
        foreach (var (name, value) in parameters)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "=" + value));
        }

        hash.AppendData(Encoding.UTF8.GetBytes(Secret));
        return string.Concat(hash.GetHashAndReset().Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
    }
}
