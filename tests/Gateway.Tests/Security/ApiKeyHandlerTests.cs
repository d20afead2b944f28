using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Gateway.Tests.Security;

public sealed class ApiKeyHandlerTests
{
    private static readonly SecurityOptions Security = new()
    {
        ApiKeys = [Key("shop", "shop-key", "proxy"), Key("ops", "ops-key", "admin", "proxy"), Key("ops", "ops-key-2", "admin")],
    };

    [Theory]
    [InlineData("shop-key", "shop", "proxy")]
    [InlineData("ops-key", "ops", "admin,proxy")]
    [InlineData("ops-key-2", "ops", "admin")]
    public async Task A_known_key_is_its_name_and_roles(string key, string name, string roles)
    {
        var result = await AuthenticateAsync(Request(key));

        Assert.True(result.Succeeded);
        Assert.True(result.Principal.Identity!.IsAuthenticated);
        Assert.Equal(name, result.Principal.Identity.Name);
        Assert.Equal(roles, string.Join(',', result.Principal.FindAll(ClaimTypes.Role).Select(claim => claim.Value)));
        Assert.All(Roles.All, role => Assert.Equal(roles.Split(',').Contains(role), result.Principal.IsInRole(role)));
    }

    [Fact]
    public async Task A_key_in_upper_case_hexadecimal_is_the_same_key()
    {
        var security = new SecurityOptions { ApiKeys = [Key("shop", "shop-key", "proxy")] };
        security.ApiKeys[0].Sha256 = security.ApiKeys[0].Sha256.ToUpperInvariant();

        Assert.True((await AuthenticateAsync(Request("shop-key"), security)).Succeeded);
    }

    [Fact]
    public async Task Without_the_header_a_caller_is_nobody_which_is_no_failure()
    {
        var result = await AuthenticateAsync(new DefaultHttpContext());

        Assert.True(result.None);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SHOP-KEY")]
    [InlineData("shop-key ")]
    [InlineData("shop-ke")]
    [InlineData("shop-key,ops-key")]
    [InlineData("f1f3e3a9d5a0a6ec1dd3ea1b5b2d6a1a40b5f3aa6a4b8aa3f8a9d2dd7d5a7f11")]
    public async Task Any_other_key_is_refused(string key)
    {
        var result = await AuthenticateAsync(Request(key));

        Assert.False(result.Succeeded);
        Assert.NotNull(result.Failure);
        Assert.True(key.Length == 0 || !result.Failure.Message.Contains(key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_hash_is_not_a_key() =>
        Assert.False((await AuthenticateAsync(Request(Security.ApiKeys[0].Sha256))).Succeeded);

    [Fact]
    public async Task Two_keys_are_none_even_if_both_are_known()
    {
        Assert.False((await AuthenticateAsync(Request(new StringValues(["shop-key", "ops-key"])))).Succeeded);

        // Not even one whose hash is that of both together.
        var joined = new SecurityOptions { ApiKeys = [Key("x", "a,b", "admin")] };
        Assert.True((await AuthenticateAsync(Request("a,b"), joined)).Succeeded);
        Assert.False((await AuthenticateAsync(Request(new StringValues(["a", "b"])), joined)).Succeeded);
    }

    [Fact]
    public async Task Where_no_keys_are_configured_none_is_known() =>
        Assert.False((await AuthenticateAsync(Request("shop-key"), new SecurityOptions())).Succeeded);

    [Fact]
    public async Task A_challenge_is_a_401_that_says_how_to_authenticate()
    {
        var context = Request("wrong");
        var json = await WriteAsync(context, Services(context, Security).ChallengeAsync(context, ApiKeyHandler.SchemeName, properties: null));

        Assert.Equal(401, context.Response.StatusCode);
        Assert.Equal("unauthenticated", json.GetProperty("code").GetString());
        Assert.Contains("X-Api-Key", Assert.Single(context.Response.Headers.WWWAuthenticate), StringComparison.Ordinal);
        Assert.Equal("no-store", context.Response.Headers.CacheControl);
        Assert.DoesNotContain("wrong", json.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_without_the_role_is_a_403()
    {
        var context = Request("shop-key");
        var json = await WriteAsync(context, Services(context, Security).ForbidAsync(context, ApiKeyHandler.SchemeName, properties: null));

        Assert.Equal(403, context.Response.StatusCode);
        Assert.Equal("forbidden", json.GetProperty("code").GetString());
        Assert.Equal(0, context.Response.Headers.WWWAuthenticate.Count);
    }

    private static ApiKeyOptions Key(string name, string key, params string[] roles)
    {
        var list = new CommaList();
        list.AddRange(roles);
        return new ApiKeyOptions { Name = name, Sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))), Roles = list };
    }

    private static DefaultHttpContext Request(StringValues keys)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers["x-api-key"] = keys;
        context.Response.Body = new MemoryStream();
        return context;
    }

    private static Task<AuthenticateResult> AuthenticateAsync(HttpContext context, SecurityOptions? security = null) =>
        Services(context, security ?? Security).AuthenticateAsync(context, ApiKeyHandler.SchemeName);

    private static IAuthenticationService Services(HttpContext context, SecurityOptions security)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(new TestClock());
        services.AddFixedOptions(security);
        services.AddAuthentication(ApiKeyHandler.SchemeName).AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, configureOptions: null);
        context.RequestServices = services.BuildServiceProvider();
        return context.RequestServices.GetRequiredService<IAuthenticationService>();
    }

    private static async Task<JsonElement> WriteAsync(HttpContext context, Task writing)
    {
        await writing;
        context.Response.Body.Position = 0;
        return await JsonSerializer.DeserializeAsync<JsonElement>(context.Response.Body, cancellationToken: TestContext.Current.CancellationToken);
    }
}
