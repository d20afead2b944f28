using System.Globalization;
using Gateway.AccessTokens;

namespace Gateway.Tests.AccessTokens;

public sealed class AccessTokenTests
{
    [Theory]
    [InlineData(3600, 3570)]
    [InlineData(301, 271)]
    [InlineData(300, 270)]
    [InlineData(299, 269.1)]
    [InlineData(60, 54)]
    [InlineData(10, 9)]
    [InlineData(1, 0.9)]
    [InlineData(0, 0)]
    public void A_token_is_used_until_a_tenth_of_its_life_but_at_most_30_s_before_its_end(double life, double usable)
    {
        var now = TimeSpan.FromDays(3);
        var token = new AccessToken("t", now, now + TimeSpan.FromSeconds(life), followsRejection: false);

        Assert.Equal(now + TimeSpan.FromSeconds(usable), token.UsableUntil);
    }

    [Fact]
    public void A_token_has_no_text_form_that_could_end_up_in_a_log()
    {
        var now = TimeSpan.FromDays(3);

        Assert.DoesNotContain("secret", Text(new AccessToken("secret", now, now, followsRejection: false)), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", Text(new IssuedToken("secret", TimeSpan.Zero)), StringComparison.Ordinal);
    }

    private static string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
