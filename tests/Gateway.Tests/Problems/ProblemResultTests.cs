using System.Text.Json;
using Gateway.Problems;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Problems;

public sealed class ProblemResultTests
{
    public static TheoryData<string> Codes => [.. Problem.All.Select(problem => problem.Code)];

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Every_problem_is_written_as_RFC_9457_and_never_stored(string code)
    {
        var problem = Problem.All.Single(p => p.Code == code);

        var (response, json) = await new ProblemResult(problem).WriteAsync();

        Assert.Equal(problem.Status, response.StatusCode);
        Assert.Equal("application/problem+json", response.ContentType);
        Assert.Equal("no-store", response.Headers.CacheControl);
        Assert.Equal(problem.IsRetriable ? "1" : null, response.Headers.RetryAfter);
        Assert.Equal(problem.Status == 401, response.Headers.WWWAuthenticate.Count == 1);
        Assert.Equal("urn:gateway:problem:" + code, json.GetProperty("type").GetString());
        Assert.Equal(code, json.GetProperty("code").GetString());
        Assert.Equal(problem.Status, json.GetProperty("status").GetInt32());
        Assert.Equal(problem.Title, json.GetProperty("title").GetString());
        Assert.NotEmpty(json.GetProperty("traceId").GetString()!);
        Assert.False(json.TryGetProperty("detail", out _));
        Assert.False(json.TryGetProperty("parameter", out _));
    }

    [Theory]
    [InlineData(0, "1")]
    [InlineData(-5, "1")]
    [InlineData(0.001, "1")]
    [InlineData(1, "1")]
    [InlineData(1.001, "2")]
    [InlineData(59.5, "60")]
    public async Task Retry_After_is_rounded_up_to_whole_seconds(double seconds, string header)
    {
        var (response, _) = await new ProblemResult(Problem.Overloaded, retryAfter: TimeSpan.FromSeconds(seconds)).WriteAsync();

        Assert.Equal(header, response.Headers.RetryAfter);
    }

    [Fact]
    public async Task Retry_After_is_left_out_where_another_try_does_not_help()
    {
        var (response, _) = await new ProblemResult(Problem.UpstreamTimedOut, retryAfter: TimeSpan.FromSeconds(5)).WriteAsync();

        Assert.False(response.Headers.ContainsKey("Retry-After"));
    }

    [Fact]
    public async Task Detail_and_parameter_are_told()
    {
        var (_, json) = await new ProblemResult(Problem.InvalidParameter, "lang is empty.", "lang").WriteAsync();

        Assert.Equal("lang is empty.", json.GetProperty("detail").GetString());
        Assert.Equal("lang", json.GetProperty("parameter").GetString());
    }
}

internal static class ProblemResultReading
{
    /// <summary>Executes the result as the host would and reads what it wrote.</summary>
    public static async Task<(HttpResponse Response, JsonElement Json)> WriteAsync(this ProblemResult result)
    {
        var context = new DefaultHttpContext { TraceIdentifier = "trace" };
        using var body = new MemoryStream();
        context.Response.Body = body;
        await result.ExecuteAsync(context);
        await context.Response.CompleteAsync();
        using var document = JsonDocument.Parse(body.ToArray());
        return (context.Response, document.RootElement.Clone());
    }
}
