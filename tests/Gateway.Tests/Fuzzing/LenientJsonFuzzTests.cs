using System.Text.Json;
using Gateway.Upstreams;

namespace Gateway.Tests.Fuzzing;

public sealed class LenientJsonFuzzTests
{
    private static readonly string[] Words = ["\"", "\"\"", "true", "false", "null", "1", "0", "\"1\"", "\"0\"", "\"true\"", "12.0", "\"12.00\"", "-", "+", "e", "\\u0031", "\\ud800", "\\u0000", "[", "]", "{", "}", " "];

    private static readonly JsonSerializerOptions Lenient = new()
    {
        Converters = { new LenientJson.Text(), new LenientJson.Integer(), new LenientJson.Flag() },
    };

    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_value_is_read_as_the_same_value_in_its_other_spelling_or_not_at_all() => FuzzRun.OfBytesAsync("lenient", Words, body =>
    {
        var expected = Naive(body);
        var text = Read<string?>(body);
        var integer = Read<long?>(body);
        var flag = Read<bool?>(body);

        Assert.Equal(expected.Text, text);
        Assert.Equal(expected.Integer, integer);
        Assert.Equal(expected.Flag, flag);
        return text.Read || integer.Read || flag.Read;
    });

    private static (bool Read, T? Value) Read<T>(byte[] body)
    {
        try
        {
            return (true, JsonSerializer.Deserialize<T>(body, Lenient));
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static ((bool, string?) Text, (bool, long?) Integer, (bool, bool?) Flag) Naive(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return (NaiveJson.Text(json.RootElement), NaiveJson.Integer(json.RootElement), NaiveJson.Flag(json.RootElement));
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
