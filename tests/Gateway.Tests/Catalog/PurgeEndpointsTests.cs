using System.Text.Json;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Catalog;

public sealed class PurgeEndpointsTests : IAsyncLifetime
{
    private readonly WebApplication _app;

    public PurgeEndpointsTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(new TestClock());
        builder.Services.AddFixedOptions(new RedisOptions());
        builder.Services.AddSingleton<RedisConnection>();
        builder.Services.AddSingleton<PurgeLog>();
        _app = builder.Build();
        _app.MapPurge();
    }

    private PurgeLog Purges => _app.Services.GetRequiredService<PurgeLog>();

    private RouteEndpoint Endpoint => Assert.IsType<RouteEndpoint>(Assert.Single(((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints)));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public void It_is_a_POST_for_administrators()
    {
        Assert.Equal("/admin/cache/purge", Endpoint.RoutePattern.RawText);
        Assert.Equal(["POST"], Endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods);
        Assert.Equal(Roles.Admin, Endpoint.Metadata.GetMetadata<IAuthorizeData>()!.Policy);
    }

    [Theory]
    [InlineData("?product=built.for_x-1", "product:built.for_x-1", false)]
    [InlineData("?product=x&hard=true", "product:x", true)]
    [InlineData("?product=x&hard=false", "product:x", false)]
    [InlineData("?sku=a%7Cb%20%C3%A9", "sku:a|b é", false)]
    [InlineData("?sku=x&hard=true&unknown=1", "sku:x", true)]
    [InlineData("?all=true", "all", false)]
    [InlineData("?all=true&hard=true", "all", true)]
    public async Task What_is_named_is_purged(string query, string scope, bool hard)
    {
        var (status, headers, json) = await PostAsync(query);

        Assert.Equal(202, status);
        Assert.Equal("no-store", headers.CacheControl);
        Assert.Equal((scope, hard, "this"), (json.GetProperty("scope").GetString(), json.GetProperty("hard").GetBoolean(), json.GetProperty("replicas").GetString()));
        Assert.Equal(hard ? PurgeVerdict.Dead : PurgeVerdict.Stale, Purges.Judge(scope, 0));
        Assert.Equal(scope == "all", Purges.Judge("product:other", 0) != PurgeVerdict.Valid);
    }

    [Theory]
    [InlineData("", "product")]
    [InlineData("?hard=true", "product")]
    [InlineData("?product=x&sku=y", "product")]
    [InlineData("?all=true&product=x", "product")]
    [InlineData("?product=", "product")]
    [InlineData("?product=x&product=y", "product")]
    [InlineData("?product=..", "product")]
    [InlineData("?product=a/b", "product")]
    [InlineData("?product=*", "product")]
    [InlineData("?sku=", "sku")]
    [InlineData("?sku=x&sku=y", "sku")]
    [InlineData("?all", "all")]
    [InlineData("?all=false", "all")]
    [InlineData("?all=1", "all")]
    [InlineData("?product=x&hard", "hard")]
    [InlineData("?product=x&hard=", "hard")]
    [InlineData("?product=x&hard=1", "hard")]
    [InlineData("?product=x&hard=TRUE", "hard")]
    [InlineData("?product=x&hard=true&hard=true", "hard")]
    public async Task Anything_else_is_refused_and_purges_nothing(string query, string parameter)
    {
        var (status, _, json) = await PostAsync(query);

        Assert.Equal((400, "invalidParameter"), (status, json.GetProperty("code").GetString()));
        Assert.Equal(parameter, json.GetProperty("parameter").GetString());
        Assert.Equal(0, Purges.Epoch);
    }

    private async Task<(int Status, IHeaderDictionary Headers, JsonElement Json)> PostAsync(string query)
    {
        var context = new DefaultHttpContext { RequestServices = _app.Services };
        context.Request.Method = "POST";
        context.Request.QueryString = new QueryString(query);
        context.Response.Body = new MemoryStream();
        await Endpoint.RequestDelegate!(context);
        context.Response.Body.Position = 0;
        var json = await JsonSerializer.DeserializeAsync<JsonElement>(context.Response.Body, cancellationToken: TestContext.Current.CancellationToken);
        return (context.Response.StatusCode, context.Response.Headers, json);
    }
}
