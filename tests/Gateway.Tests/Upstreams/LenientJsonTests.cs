using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Upstreams;

namespace Gateway.Tests.Upstreams;

public sealed class LenientJsonTests
{
    [Theory]
    [InlineData("null", null)]
    [InlineData("\"\"", null)]
    [InlineData("\"a\"", "a")]
    [InlineData("\" \"", " ")]
    [InlineData("\"\\u00e9\"", "é")]
    [InlineData("9.99", "9.99")]
    [InlineData("9.90", "9.90")]
    [InlineData("1500", "1500")]
    [InlineData("0.10000000000000000000000000000000001", "0.10000000000000000000000000000000001")]
    [InlineData("1e3", "1e3")]
    [InlineData("-1", "-1")]
    public void Text_is_a_string_or_the_digits_of_a_number(string json, string? text) => Assert.Equal(text, Read($$"""{"Text":{{json}}}""").Text);

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[\"a\"]")]
    [InlineData("\"\\ud800\"")]
    public void Text_is_nothing_else(string json) => Assert.ThrowsAny<JsonException>(() => Read($$"""{"Text":{{json}}}"""));

    [Theory]
    [InlineData("null", null)]
    [InlineData("\"\"", null)]
    [InlineData("0", 0L)]
    [InlineData("12", 12L)]
    [InlineData("\"12\"", 12L)]
    [InlineData("\"012\"", 12L)]
    [InlineData("12.0", 12L)]
    [InlineData("\"12.00\"", 12L)]
    [InlineData("-3", -3L)]
    [InlineData("\"-3\"", -3L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("-9223372036854775808", long.MinValue)]
    public void An_integer_is_a_whole_number_or_a_string_of_one(string json, long? number) => Assert.Equal(number, Read($$"""{"Integer":{{json}}}""").Integer);

    [Theory]
    [InlineData("12.5")]
    [InlineData("\"12.5\"")]
    [InlineData("0.1")]
    [InlineData("1e3")]
    [InlineData("1E0")]
    [InlineData("\"1e3\"")]
    [InlineData("\"1,000\"")]
    [InlineData("\" 12\"")]
    [InlineData("\"12 \"")]
    [InlineData("\"twelve\"")]
    [InlineData("\"\\u0661\"")]
    [InlineData("\"(12)\"")]
    [InlineData("\"$12\"")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("99999999999999999999999999999999999999")]
    [InlineData("12.00000000000000000000000000001")]
    [InlineData("\"12.00000000000000000000000000001\"")]
    [InlineData("0.00000000000000000000000000001")]
    [InlineData("\"12.\"")]
    [InlineData("\"12\\u0000\"")]
    [InlineData("true")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void An_integer_is_nothing_else(string json) => Assert.ThrowsAny<JsonException>(() => Read($$"""{"Integer":{{json}}}"""));

    [Theory]
    [InlineData("null", null)]
    [InlineData("\"\"", null)]
    [InlineData("true", true)]
    [InlineData("1", true)]
    [InlineData("\"1\"", true)]
    [InlineData("\"true\"", true)]
    [InlineData("false", false)]
    [InlineData("0", false)]
    [InlineData("\"0\"", false)]
    [InlineData("\"false\"", false)]
    public void A_flag_has_three_spellings(string json, bool? flag) => Assert.Equal(flag, Read($$"""{"Flag":{{json}}}""").Flag);

    [Theory]
    [InlineData("2")]
    [InlineData("-1")]
    [InlineData("1.0")]
    [InlineData("\"yes\"")]
    [InlineData("\"TRUE\"")]
    [InlineData("\"2\"")]
    [InlineData("[]")]
    [InlineData("{}")]
    public void A_flag_is_nothing_else(string json) => Assert.ThrowsAny<JsonException>(() => Read($$"""{"Flag":{{json}}}"""));

    private static Model Read(string json) => JsonSerializer.Deserialize<Model>(json)!;

    internal sealed record Model
    {
        [JsonConverter(typeof(LenientJson.Text))]
        public string? Text { get; init; }

        [JsonConverter(typeof(LenientJson.Integer))]
        public long? Integer { get; init; }

        [JsonConverter(typeof(LenientJson.Flag))]
        public bool? Flag { get; init; }
    }
}
