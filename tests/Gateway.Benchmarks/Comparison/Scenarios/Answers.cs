using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.Benchmarks.Comparison.Scenarios;

/// <summary>Whether subjects answer right; one that does not ends the comparison.</summary>
internal static class Answers
{
    /// <summary>The gateway's answer to a question that nobody asked before, which must be complete and what the floor says too.</summary>
    public static async Task<byte[]> SameAsync(Subject gateway, Subject floor, string product, int components)
    {
        // The first may take a slow machine longer than a deadline allows: a token, and what is compiled at run time.
        await gateway.AnsweredAsync($"catalog?product={product}-first&country=DE");
        var (_, mine) = await gateway.GetAsync($"catalog?product={product}&country=DE");
        var (_, bare) = await floor.GetAsync($"cold?product={product}&country=DE");
        var answer = JsonNode.Parse(mine)!;
        Check((bool)answer["completeness"]!["complete"]! && (int)answer["completeness"]!["priced"]! == components, "The gateway's answer is not complete", mine);
        Check(JsonNode.DeepEquals(answer, JsonNode.Parse(bare)), "The floor's answer is another than the gateway's", bare);
        return mine;
    }

    public static async Task<HttpResponseMessage> IsAsync(Subject subject, string path, byte[] expected, params (string Name, string Value)[] headers)
    {
        var (response, body) = await subject.GetAsync(path, headers: headers);
        Check(body.AsSpan().SequenceEqual(expected), $"{subject.At(path)} answers something else", body);
        return response;
    }

    private static void Check(bool isSo, string complaint, byte[] body)
    {
        if (!isSo)
        {
            throw new InvalidOperationException($"{complaint}: {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 400)))}");
        }
    }
}
