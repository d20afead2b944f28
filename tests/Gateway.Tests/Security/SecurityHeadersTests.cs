using System.Net;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Security;

/// <summary>The part of the pipeline that puts headers on every answer, on a real server with endpoints that misbehave.</summary>
public sealed class SecurityHeadersTests : IAsyncLifetime
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();

    public SecurityHeadersTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var security = new SecurityOptions();
        security.Cors.Origins.Add("https://shop.example.com");
        builder.Services.AddFixedOptions(security);
        builder.Services.AddSingleton<SecurityHeaders>();
        builder.Services.AddGatewayCors();
        _app = builder.Build();
        _app.UseSecurityHeaders();
        _app.UseProblems();
        _app.UseCors();
        _app.MapGet("/throws", (HttpContext context) =>
        {
            context.Response.Headers.ETag = "\"half-made\"";
            context.Response.Headers.CacheControl = "public, max-age=60";
            context.Response.Headers.Vary = "Accept-Encoding";
            throw new InvalidOperationException("A bug with a secret in it.");
        });
        _app.MapGet("/clears", (HttpContext context) =>
        {
            context.Response.Clear();
            return "cleared";
        });
        _app.MapGet("/vary", (HttpContext context, string value) =>
        {
            context.Response.Headers.Vary = value.Split('|');
            return "varies";
        });
        _app.MapGet("/swagger/page", () => "page");
        _app.MapGet("/swaggerish", () => "data");
    }

    public async ValueTask InitializeAsync()
    {
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        _client.DefaultRequestHeaders.Add("Origin", "https://shop.example.com");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task A_bug_is_a_problem_that_the_page_may_read_and_nobody_may_keep()
    {
        using var response = await _client.GetAsync(new Uri("/throws", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("https://shop.example.com", Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("Origin", Header(response, "Vary"));
        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(response, "Content-Security-Policy"));
        Assert.Contains("no-store", Header(response, "Cache-Control"), StringComparison.Ordinal);
        Assert.DoesNotContain("max-age", Header(response, "Cache-Control"), StringComparison.Ordinal);
        Assert.Null(Header(response, "ETag"));
        Assert.DoesNotContain("secret", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_was_cleared_has_them_too()
    {
        using var response = await _client.GetAsync(new Uri("/clears", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(("nosniff", "Origin", "https://shop.example.com"), (Header(response, "X-Content-Type-Options"), Header(response, "Vary"), Header(response, "Access-Control-Allow-Origin")));
    }

    [Theory]
    [InlineData("", "Origin")]
    [InlineData("Accept-Encoding", "Accept-Encoding, Origin")]
    [InlineData("Accept-Encoding, sandbox", "Accept-Encoding, sandbox, Origin")]
    [InlineData("origin", "origin")]
    [InlineData("Accept-Encoding,Origin", "Accept-Encoding,Origin")]
    [InlineData("X-Original", "X-Original, Origin")]
    [InlineData("*", "*")]
    [InlineData("A|B", "A, B, Origin")]
    public async Task The_origin_joins_what_an_answer_varies_by_already(string set, string sent)
    {
        for (var time = 0; time < 2; time++)
        {
            using var response = await _client.GetAsync(new Uri("/vary?value=" + Uri.EscapeDataString(set), UriKind.Relative), TestContext.Current.CancellationToken);

            Assert.Equal(sent, Header(response, "Vary"));
        }
    }

    [Theory]
    [InlineData("/swagger/page", true)]
    [InlineData("/SWAGGER/page", true)]
    [InlineData("/swaggerish", false)]
    public async Task Only_the_page_may_run_its_own_scripts(string path, bool isPage)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(isPage, Header(response, "Content-Security-Policy")!.Contains("script-src 'self'", StringComparison.Ordinal));
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
