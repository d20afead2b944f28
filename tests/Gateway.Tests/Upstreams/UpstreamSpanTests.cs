using System.Diagnostics;
using System.Net;
using Gateway.Observability;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Upstreams;

/// <summary>The span of a call: whoever looks for errors in traces finds the calls that failed, and no others.</summary>
public sealed class UpstreamSpanTests : IDisposable
{
    private readonly TestClock _time = new();
    private readonly List<Activity> _spans = [];
    private readonly ActivityListener _listener;

    public UpstreamSpanTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Metrics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _spans.Add,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(200, ActivityStatusCode.Unset, null)]
    [InlineData(404, ActivityStatusCode.Unset, null)]
    [InlineData(401, ActivityStatusCode.Error, "rejected")]
    [InlineData(403, ActivityStatusCode.Error, "rejected")]
    [InlineData(429, ActivityStatusCode.Error, "throttled")]
    [InlineData(503, ActivityStatusCode.Error, "rejected")]
    public async Task A_refusal_is_an_error_and_what_does_not_exist_is_an_answer(int status, ActivityStatusCode expected, string? errorType)
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage((HttpStatusCode)status));
        using var transport = Transport(upstream);

        await _time.RunUntilAsync(transport.SendAsync("v1/thing", [], new RequestTimings(), Cancel));

        var span = Assert.Single(_spans);
        Assert.Equal((expected, errorType), (span.Status, (string?)span.GetTagItem("error.type")));
        Assert.Equal(("billing", ActivityKind.Internal), (span.DisplayName, span.Kind));
    }

    [Fact]
    public async Task A_call_without_an_answer_says_why()
    {
        using var upstream = new FakeUpstream(_time, (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError));
        using var transport = Transport(upstream);

        await _time.RunUntilAsync(transport.SendAsync("v1/thing", [], new RequestTimings(), Cancel));

        Assert.Equal((ActivityStatusCode.Error, "unreachable"), (Assert.Single(_spans).Status, _spans[0].GetTagItem("error.type")));
    }

    [Fact]
    public async Task A_call_whose_caller_s_time_ran_out_is_an_error_too()
    {
        using var upstream = new FakeUpstream(_time, (_, token) => FakeUpstream.HangAsync(token));
        using var transport = Transport(upstream);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), _time);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _time.RunUntilAsync(transport.SendAsync("v1/thing", [], new RequestTimings(), deadline.Token)));

        Assert.Equal((ActivityStatusCode.Error, "timeout"), (Assert.Single(_spans).Status, _spans[0].GetTagItem("error.type")));
    }

    private UpstreamTransport Transport(FakeUpstream upstream) =>
        new("Billing", new BillingOptions { BaseAddress = new Uri("https://billing.example/") }, upstream, _time, NullLogger.Instance);
}
