using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests;

/// <summary>The reader of <c>Server-Timing</c>, by the grammar of the W3C.</summary>
public sealed class ServerTimingTests
{
    [Fact]
    public void Metrics_are_read_in_their_order_with_duration_and_description() =>
        Assert.Equal(
            [
                new ServerTiming("miss", null, null),
                new ServerTiming("billing", TimeSpan.FromMicroseconds(47_250), null),
                new ServerTiming("cache", TimeSpan.Zero, "Cache, \"read\"; \\ö"),
                new ServerTiming("dc", null, "atl"),
                new ServerTiming("miss", TimeSpan.FromMilliseconds(1), null),
            ],
            ServerTiming.Parse("miss, billing;dur=47.25, cache;desc=\"Cache, \\\"read\\\"; \\\\ö\";dur=0 ,dc; desc = atl,miss;dur=\"1\""));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(", ,\t,")]
    public void An_empty_list_has_no_metrics(string header) => Assert.Empty(ServerTiming.Parse(header));

    [Theory]
    [InlineData("a;dur=1,,b;dur=1")]
    [InlineData(",a;dur=1,b;dur=1,")]
    [InlineData("\ta\t;\tdur\t=\t1\t,\tb ; dur = 1 ")]
    [InlineData("a;DUR=1,b;Dur=1")]
    [InlineData("a;dur=1;dur=2,b;x=y;dur=1;z=\"\"")]
    [InlineData("a;dur=1.0,b;dur=1e0")]
    public void Space_empty_elements_case_repeated_and_unknown_parameters_do_not_matter(string header) =>
        Assert.Equal([new ServerTiming("a", TimeSpan.FromMilliseconds(1), null), new ServerTiming("b", TimeSpan.FromMilliseconds(1), null)], ServerTiming.Parse(header));

    [Fact]
    public void A_description_may_be_empty() => Assert.Equal(string.Empty, Assert.Single(ServerTiming.Parse("a;desc=\"\"")).Description);

    [Theory]
    [InlineData("a b")]
    [InlineData("a;")]
    [InlineData("a;,b")]
    [InlineData(";dur=1")]
    [InlineData("a;dur")]
    [InlineData("a;dur=")]
    [InlineData("a;=1")]
    [InlineData("a;dur=1 2")]
    [InlineData("a;dur=1;")]
    [InlineData("a/b;dur=1")]
    [InlineData("ä;dur=1")]
    [InlineData("a;desc=\"open")]
    [InlineData("a;desc=\"open\\\"")]
    [InlineData("a;desc=\"line\nbreak\"")]
    [InlineData("a;desc=\"x\"y")]
    [InlineData("a\n")]
    [InlineData("a, b c")]
    [InlineData("a;dur=-1")]
    [InlineData("a;dur=+1")]
    [InlineData("a;dur=NaN")]
    [InlineData("a;dur=Infinity")]
    [InlineData("a;dur=1ms")]
    [InlineData("a;dur=\"\"")]
    [InlineData("a;dur=\" 1\"")]
    public void What_is_not_of_the_grammar_is_refused(string header) => Assert.Throws<FormatException>(() => ServerTiming.Parse(header));

    [Fact]
    public void A_comma_is_no_decimal_point() =>
        Assert.Equal([new ServerTiming("a", TimeSpan.FromMilliseconds(1), null), new ServerTiming("5", null, null)], ServerTiming.Parse("a;dur=1,5"));
}
