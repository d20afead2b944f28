using Gateway.Configuration;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Configuration;

public sealed class CommaListTests
{
    [Fact]
    public void A_list_is_bound_from_an_array() => Assert.Equal(["a", "b"], Bind(("L:Words:0", "a"), ("L:Words:1", "b")).Words);

    [Theory]
    [InlineData("a,b", new[] { "a", "b" })]
    [InlineData(" a , b ,, ", new[] { "a", "b" })]
    [InlineData("a", new[] { "a" })]
    [InlineData(",", new string[0])]
    [InlineData("", new string[0])]
    public void A_list_is_bound_from_one_value(string text, string[] words) => Assert.Equal(words, Bind(("L:Words", text)).Words);

    [Fact]
    public void One_value_wins_over_an_array_below_it() =>
        Assert.Equal(["c"], Bind(("L:Words:0", "a"), ("L:Words:1", "b"), ("L:Words", "c")).Words);

    [Fact]
    public void An_absent_list_stays_empty() => Assert.Empty(Bind(("L:Other", "x")).Words);

    private static Holder Bind(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)))
            .Build();
        var holder = new Holder();
        configuration.GetSection("L").Bind(holder);
        return holder;
    }

    private sealed class Holder
    {
        public CommaList Words { get; set; } = [];
    }
}
