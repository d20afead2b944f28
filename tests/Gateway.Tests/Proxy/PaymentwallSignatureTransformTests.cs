using Gateway.Proxy;
using Gateway.Tests.Configuration;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Tests.Proxy;

public sealed class PaymentwallSignatureTransformTests
{
    [Fact]
    public async Task The_query_is_signed_as_the_vendor_does_it()
    {
        var (_, address) = await SignAsync("?ag_external_id=product_100244&country_code=US");

        Assert.Equal(
            "https://vendor.example/api/prefix/products?ag_external_id=product_100244&country_code=US&key=test-project-key&sign_version=3"
            + "&sign=b51c4401369db2cd175648e56e7d8cb8dd3864470bd2c1b7f5a5e58edac61952",
            address?.OriginalString);
    }

    [Fact]
    public async Task Version_2_is_signed_with_MD5_and_says_so()
    {
        var (_, address) = await SignAsync("?ag_external_id=product_100244", version: 2);

        Assert.Equal("?ag_external_id=product_100244&key=test-project-key&sign_version=2&sign=34482eb1cc8168b1fcf4bad15ba3a7c0", address?.Query);
    }

    [Fact]
    public async Task Values_enter_the_signature_as_they_are_and_the_address_encoded()
    {
        var (_, address) = await SignAsync("?ag_external_id=caf%C3%A9%20%26%20plan%2B1&country_code=FR&callback=productDetailsHandler");

        Assert.Equal(
            "?ag_external_id=caf%C3%A9%20%26%20plan%2B1&country_code=FR&callback=productDetailsHandler&key=test-project-key&sign_version=3"
            + "&sign=e2d3bd1a5aae5bb23eeebb6bcd52a8f673d149d326efd6b64879b22d6fdd401d",
            address?.Query);
    }

    [Fact]
    public async Task Names_are_encoded_too()
    {
        var (_, address) = await SignAsync("?a%26b%5B%5D=1");

        Assert.StartsWith("?a%26b%5B%5D=1&key=", address?.Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?key=theirs&sign=forged&sign_version=1&ag_external_id=product_100244&country_code=US")]
    [InlineData("?ag_external_id=product_100244&KEY=theirs&country_code=US&Sign=forged&Sign_Version=1")]
    [InlineData("?sign=forged&sign=again&key=a&key=b&ag_external_id=product_100244&country_code=US")]
    public async Task The_caller_s_own_credentials_are_dropped_however_they_are_spelled(string query)
    {
        var (context, address) = await SignAsync(query);

        Assert.Equal(StatusCodes.Status200OK, context.Response.StatusCode);
        Assert.Equal(
            "?ag_external_id=product_100244&country_code=US&key=test-project-key&sign_version=3"
            + "&sign=b51c4401369db2cd175648e56e7d8cb8dd3864470bd2c1b7f5a5e58edac61952",
            address?.Query);
    }

    [Fact]
    public async Task A_parameter_given_twice_is_refused_and_nothing_is_signed()
    {
        var (context, address) = await SignAsync("?ag_external_id=a&country_code=US&country_code=FR");

        Assert.Equal(StatusCodes.Status400BadRequest, context.Response.StatusCode);
        context.Response.Body.Position = 0;
        var body = await new StreamReader(context.Response.Body).ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("\"parameter\":\"country_code\"", body, StringComparison.Ordinal);
        Assert.Contains("country_code is given more than once.", body, StringComparison.Ordinal);
        Assert.Null(address);
    }

    [Fact]
    public async Task What_was_already_answered_is_left_alone()
    {
        var (context, address) = await SignAsync("?country_code=US&country_code=FR", new Answered());

        Assert.Null(address);
        Assert.Equal(0, context.Response.Body.Length);
    }

    private static async Task<(HttpContext Context, Uri? Address)> SignAsync(string query, IHttpResponseFeature? answer = null, int version = 3)
    {
        var http = new DefaultHttpContext();
        if (answer is not null)
        {
            http.Features.Set(answer);
        }

        http.Request.QueryString = new QueryString(query);
        http.Response.Body = new MemoryStream();
        using var request = new HttpRequestMessage();
        var options = new PaymentwallOptions { ProjectKey = "test-project-key", SecretKey = "test-secret-key", SignatureVersion = version };
        await new PaymentwallSignatureTransform(Fixed.Options(options)).ApplyAsync(new RequestTransformContext
        {
            HttpContext = http,
            ProxyRequest = request,
            DestinationPrefix = "https://vendor.example/api/",
            Path = "/prefix/products",
            Query = new QueryTransformContext(http.Request),
        });
        return (http, request.RequestUri);
    }

    private sealed class Answered : HttpResponseFeature
    {
        public override bool HasStarted => true;
    }
}
