using Gateway.AccessTokens;
using Gateway.Configuration;

namespace Gateway.Tests.AccessTokens;

public sealed class AccessTokensOptionsValidatorTests
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Theory]
    [InlineData("")]
    [InlineData(Key)]
    public void Sound_options_pass(string encryptionKey) => Assert.Empty(Errors(options => options.EncryptionKey = encryptionKey));

    [Fact]
    public void The_defaults_lack_only_the_credentials()
    {
        Assert.Empty(Keys(new AccessTokensOptions()));
        Assert.Equal(["A:ClientId", "A:ClientSecret"], OptionsSection.ValueErrors("A", new AccessTokensOptions { ClientId = " " }).Select(error => error.Error.Split(": ")[0]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://oauth.example/")]
    [InlineData("http://localhost/")]
    [InlineData("ftp://oauth.example/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:password@oauth.example/")]
    [InlineData("https://user@oauth.example/")]
    [InlineData("https://oauth.example/?tenant=1")]
    [InlineData("https://oauth.example/#top")]
    [InlineData("/relative")]
    public void An_authority_is_plain_https(string? authority)
    {
        var errors = Errors(options => options.Authority = authority is null ? null : new Uri(authority, UriKind.RelativeOrAbsolute));

        Assert.StartsWith("AccessTokens:Authority: ", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://oauth.example/token", null, true)]
    [InlineData("https://oauth.example/token", "https://oauth.example/", true)]
    [InlineData("https://oauth.example/token", "https://other.example/", false)]
    [InlineData("https://oauth.example:8443/token", "https://oauth.example/", false)]
    [InlineData("http://oauth.example/token", null, false)]
    [InlineData("https://user@oauth.example/token", null, false)]
    [InlineData("https://oauth.example/token?a=b", null, false)]
    [InlineData("/token", null, false)]
    public void A_token_endpoint_is_plain_https_and_contradicts_no_authority(string endpoint, string? authority, bool isSound)
    {
        var errors = Errors(options =>
        {
            options.TokenEndpoint = new Uri(endpoint, UriKind.RelativeOrAbsolute);
            options.Authority = authority is null ? options.Authority : new Uri(authority);
        }).ToList();

        Assert.Equal(isSound, errors.Count == 0);
        Assert.All(errors, error => Assert.StartsWith("AccessTokens:TokenEndpoint: ", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void A_scope_is_required(string nothing)
    {
        Assert.Equal(
            ["AccessTokens:Scopes"],
            Keys(new AccessTokensOptions { Scopes = nothing }));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("AAECAwQFBgcICQoLDA0ODw==")]
    [InlineData("not base64 not base64 not base64 not base64!")]
    public void An_encryption_key_is_32_bytes_and_never_repeated(string key)
    {
        var error = Assert.Single(Errors(options => options.EncryptionKey = key));

        Assert.StartsWith("AccessTokens:EncryptionKey: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain(key, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Scopes_are_separated_by_spaces() =>
        Assert.Equal(["openid", "subscription.write"], new AccessTokensOptions { Scopes = " openid  subscription.write " }.ScopeList);

    private static IEnumerable<string> Errors(Action<AccessTokensOptions> change)
    {
        var options = new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" };
        change(options);
        return new AccessTokensOptionsValidator().Validate(name: null, options).Failures ?? [];
    }

    private static IEnumerable<string> Keys(AccessTokensOptions options) =>
        (new AccessTokensOptionsValidator().Validate(name: null, options).Failures ?? []).Select(error => error.Split(": ")[0]);
}
