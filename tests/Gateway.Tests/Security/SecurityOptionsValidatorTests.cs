using Gateway.Configuration;
using Gateway.Security;

namespace Gateway.Tests.Security;

public sealed class SecurityOptionsValidatorTests
{
    private const string Hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

    [Fact]
    public void No_keys_at_all_are_sound() => Assert.Empty(Errors());

    [Theory]
    [InlineData(Hash, "proxy")]
    [InlineData(Hash, "admin")]
    [InlineData(Hash, "admin,proxy")]
    [InlineData("2C70E12B7A0646F92279F427C7B38E7334D8E5389CFF167A1DC30E73F826B683", "proxy")]
    public void A_name_a_hash_and_roles_make_a_key(string hash, string roles) => Assert.Empty(Errors(Key("shop", hash, roles)));

    [Fact]
    public void Two_keys_may_have_one_name_so_that_one_can_be_rotated() =>
        Assert.Empty(Errors(Key("shop", Hash, "proxy"), Key("shop", new string('0', 64), "proxy")));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void A_key_has_a_name(string name) =>
        Assert.StartsWith("Security:ApiKeys:0:Name: ", Assert.Single(Errors(Key(name, Hash, "proxy"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("the-key-itself")]
    [InlineData("2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b68")]
    [InlineData("2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b6833")]
    [InlineData("2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b68g")]
    [InlineData("LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM=")]
    public void A_hash_is_64_hexadecimal_digits_and_never_repeated(string hash)
    {
        var error = Assert.Single(Errors(Key("shop", hash, "proxy")));

        Assert.StartsWith("Security:ApiKeys:0:Sha256: ", error, StringComparison.Ordinal);
        Assert.True(hash.Length == 0 || !error.Contains(hash, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("root")]
    [InlineData("proxy,root")]
    [InlineData("Proxy")]
    public void Roles_are_of_the_two_there_are(string roles) =>
        Assert.StartsWith("Security:ApiKeys:0:Roles: ", Assert.Single(Errors(Key("shop", Hash, roles))), StringComparison.Ordinal);

    [Fact]
    public void All_errors_are_told_at_once_each_with_its_place()
    {
        var errors = Errors(Key("shop", Hash, "proxy"), new ApiKeyOptions(), Key("shop", "x", "proxy"));

        Assert.Equal(
            ["Security:ApiKeys:1:Name", "Security:ApiKeys:1:Sha256", "Security:ApiKeys:1:Roles", "Security:ApiKeys:2:Sha256"],
            errors.Select(error => error[..error.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public void A_key_made_of_nothing_is_an_error()
    {
        var error = Assert.Single(Errors(Key("shop", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "proxy")));

        Assert.StartsWith("Security:ApiKeys:0:Sha256: is the SHA-256 of nothing", error, StringComparison.Ordinal);
    }

    [Fact]
    public void One_key_twice_is_an_error_at_its_second_place_in_any_case_of_letters()
    {
        var error = Assert.Single(Errors(Key("shop", Hash, "proxy"), Key("other", new string('0', 64), "proxy"), Key("admin", Hash.ToUpperInvariant(), "admin")));

        Assert.StartsWith("Security:ApiKeys:2:Sha256: is the same key as Security:ApiKeys:0", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.01, 1)]
    [InlineData(1_000_000, 1_000_000)]
    public void A_limit_has_a_rate_and_a_burst(double rate, int burst) => Assert.Empty(Errors(Limits(rate, burst)));

    [Theory]
    [InlineData(0, 1, "PermitsPerSecond")]
    [InlineData(0.009, 1, "PermitsPerSecond")]
    [InlineData(-1, 1, "PermitsPerSecond")]
    [InlineData(1_000_001, 1, "PermitsPerSecond")]
    [InlineData(double.NaN, 1, "PermitsPerSecond")]
    [InlineData(double.PositiveInfinity, 1, "PermitsPerSecond")]
    [InlineData(1, 0, "Burst")]
    [InlineData(1, -1, "Burst")]
    [InlineData(1, 1_000_001, "Burst")]
    public void A_limit_outside_its_range_is_an_error_for_each_kind_of_call(double rate, int burst, string key) => Assert.Equal(
        [$"Security:RateLimits:Catalog:{key}", $"Security:RateLimits:Proxy:{key}", $"Security:RateLimits:Admin:{key}"],
        Errors(Limits(rate, burst)).Select(error => error[..error.IndexOf(": ", StringComparison.Ordinal)]));

    [Fact]
    public void Half_a_limit_says_what_is_missing() =>
        Assert.Equal(6, Errors(Limits(0, 0)).Count);

    [Theory]
    [InlineData("10.0.0.7")]
    [InlineData("10.0.0.0/8")]
    [InlineData("10.0.0.7/32")]
    [InlineData("2001:db8::1")]
    [InlineData("2001:db8::/32")]
    [InlineData("::1")]
    [InlineData("::ffff:10.0.0.7")]
    public void Proxies_are_addresses_and_networks(string proxy) => Assert.Empty(Errors(Proxies(proxy)));

    [Theory]
    [InlineData("loadbalancer")]
    [InlineData("10.0.0.7:443")]
    [InlineData("10.0.0")]
    [InlineData("10")]
    [InlineData("0x0a000007")]
    [InlineData("010.0.0.7")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0/8")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/")]
    [InlineData("*")]
    [InlineData("2001:db8::/129")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%eth0")]
    public void What_is_neither_is_an_error_that_repeats_it(string proxy) =>
        Assert.StartsWith($"Security:KnownProxies: '{proxy}' is neither", Assert.Single(Errors(Proxies(proxy))), StringComparison.Ordinal);

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("::/0")]
    public void Everybody_is_no_proxy(string proxy) =>
        Assert.StartsWith($"Security:KnownProxies: '{proxy}' believes everybody", Assert.Single(Errors(Proxies(proxy))), StringComparison.Ordinal);

    [Fact]
    public void An_address_of_the_old_internet_in_the_new_ones_clothes_is_the_same_address()
    {
        Assert.True(SecurityOptionsValidator.TryReadNetwork("::ffff:10.0.0.7", out var network));

        Assert.Equal("10.0.0.7/32", network.ToString());
    }

    [Fact]
    public void An_origin_that_is_none_is_an_error_that_repeats_it()
    {
        var options = new SecurityOptions();
        options.Cors.Origins.AddRange(["https://shop.example.com", "*", "https://shop.example.com/"]);

        Assert.Collection(
            Errors(options),
            error => Assert.StartsWith("Security:Cors:Origins: '*' would let", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Security:Cors:Origins: 'https://shop.example.com/' is not", error, StringComparison.Ordinal));
    }

    private static SecurityOptions Proxies(string proxy)
    {
        var options = new SecurityOptions();
        options.KnownProxies.Add(proxy);
        return options;
    }

    private static SecurityOptions Limits(double rate, int burst)
    {
        var limit = new RateLimitOptions { PermitsPerSecond = rate, Burst = burst };
        return new SecurityOptions { RateLimits = new RateLimitsOptions { Catalog = limit, Proxy = limit, Admin = limit } };
    }

    private static List<string> Errors(SecurityOptions options) =>
        [.. OptionsSection.ValueErrors("Security", options).Select(error => error.Error), .. new SecurityOptionsValidator().Validate(name: null, options).Failures ?? []];

    private static ApiKeyOptions Key(string name, string hash, string roles)
    {
        var list = new CommaList();
        list.AddRange(roles.Split(',', StringSplitOptions.RemoveEmptyEntries));
        return new ApiKeyOptions { Name = name, Sha256 = hash, Roles = list };
    }

    private static List<string> Errors(params ApiKeyOptions[] keys) =>
        Errors(new SecurityOptions { ApiKeys = [.. keys] });
}
