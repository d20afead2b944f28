using Gateway.Upstreams.Paymentwall;

namespace Gateway.Tests.Upstreams.Paymentwall;

public sealed class PaymentwallSignatureTests
{
    private const string Secret = "test-secret-key";

    public static TheoryData<string[], int, string> Vectors => new()
    {
        { ["key=test-project-key", "ag_external_id=product_100244", "sign_version=2"], 2, "34482eb1cc8168b1fcf4bad15ba3a7c0" },
        {
            ["key=test-project-key", "ag_external_id=product_100244", "country_code=US", "sign_version=3"],
            3,
            "b51c4401369db2cd175648e56e7d8cb8dd3864470bd2c1b7f5a5e58edac61952"
        },
        {
            ["key=test-project-key", "ag_external_id=café & plan+1", "country_code=FR", "callback=productDetailsHandler", "sign_version=3"],
            3,
            "e2d3bd1a5aae5bb23eeebb6bcd52a8f673d149d326efd6b64879b22d6fdd401d"
        },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void The_vendor_s_vectors_are_reproduced_whatever_the_order(string[] parameters, int version, string sign)
    {
        var pairs = Pairs(parameters);

        Assert.Equal(sign, PaymentwallSignature.Compute(pairs, Secret, version));
        Assert.Equal(sign, PaymentwallSignature.Compute(pairs.AsEnumerable().Reverse(), Secret, version));
        Assert.Equal(sign, PaymentwallSignature.Compute(pairs.Skip(1).Append(pairs[0]), Secret, version));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_sign_among_the_parameters_is_ignored(string[] parameters, int version, string sign) =>
        Assert.Equal(sign, PaymentwallSignature.Compute(Pairs([.. parameters, "sign=forged"]), Secret, version));

    [Fact]
    public void Names_are_sorted_by_code_point_and_not_by_culture() =>
        Assert.Equal(
            PaymentwallSignature.Compute([new("A", "1B=2_=3a=4")], string.Empty, 3),
            PaymentwallSignature.Compute(Pairs(["a=4", "_=3", "B=2", "A=1"]), string.Empty, 3));

    [Fact]
    public void Every_parameter_and_the_secret_count()
    {
        var sign = PaymentwallSignature.Compute(Pairs(["key=k", "country_code=US"]), Secret, 3);

        Assert.NotEqual(sign, PaymentwallSignature.Compute(Pairs(["key=k", "country_code=FR"]), Secret, 3));
        Assert.NotEqual(sign, PaymentwallSignature.Compute(Pairs(["key=k", "country_code=US", "Sign=x"]), Secret, 3));
        Assert.NotEqual(sign, PaymentwallSignature.Compute(Pairs(["key=k", "country_code=US"]), Secret + "x", 3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public void Other_versions_are_a_bug(int version) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PaymentwallSignature.Compute([], Secret, version));

    private static KeyValuePair<string, string>[] Pairs(string[] parameters) =>
        [.. parameters.Select(parameter => parameter.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], parts[1]))];
}
