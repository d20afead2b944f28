using Gateway.Configuration;
using Gateway.Hosting.Security;

namespace Gateway.Tests.Hosting.Security;

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

    private static ApiKeyOptions Key(string name, string hash, string roles)
    {
        var list = new CommaList();
        list.AddRange(roles.Split(',', StringSplitOptions.RemoveEmptyEntries));
        return new ApiKeyOptions { Name = name, Sha256 = hash, Roles = list };
    }

    private static List<string> Errors(params ApiKeyOptions[] keys) =>
        [.. new SecurityOptionsValidator().Validate(name: null, new SecurityOptions { ApiKeys = [.. keys] }).Failures ?? []];
}
