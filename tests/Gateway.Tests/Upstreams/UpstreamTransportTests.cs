using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Microsoft.Extensions.Logging.Abstractions;
using Polly.CircuitBreaker;

namespace Gateway.Tests.Upstreams;

public sealed class UpstreamTransportTests
{
    /// <summary>So long that no test but those about it meets it.</summary>
    private static readonly TimeSpan Ample = TimeSpan.FromHours(10);

    private readonly TestClock _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_comes_back_with_status_and_body()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(200, "[]"));
        using var transport = Transport(upstream);

        var answer = await AnswerAsync(transport);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("[]"u8.ToArray(), answer.Body);
        Assert.Null(answer.RetryAfter);
        var request = Assert.Single(upstream.Requests);
        Assert.Equal("https://billing.example/base/v1/thing?x=1", request.RequestUri?.AbsoluteUri);
        Assert.Equal("application/json", request.Headers.Accept.ToString());
        Assert.NotEmpty(request.Headers.UserAgent);
    }

    [Fact]
    public async Task Our_attempt_deadline_fired_and_the_caller_s_token_did_not_so_it_is_tried_again_and_then_a_time_out()
    {
        var lives = new List<TimeSpan>();
        using var upstream = new FakeUpstream(_time, (_, token) =>
        {
            var start = _time.GetUtcNow();
            return FakeUpstream.HangAsync(token, () => lives.Add(_time.GetUtcNow() - start));
        });
        using var transport = Transport(upstream, attempt: TimeSpan.FromSeconds(2));
        using var caller = new CancellationTokenSource();

        Assert.Equal(UpstreamFailure.Timeout, await FailureAsync(transport, caller.Token));
        Assert.Equal(3, upstream.Attempts);
        Assert.Equal(Enumerable.Repeat(TimeSpan.FromSeconds(2), 3), lives);
        Assert.False(caller.IsCancellationRequested);
    }

    [Fact]
    public async Task A_retry_after_a_time_out_can_succeed()
    {
        using var upstream = new FakeUpstream(_time, (attempt, token) => attempt == 0 ? FakeUpstream.HangAsync(token) : Task.FromResult(Answer(200)));
        using var transport = Transport(upstream, attempt: TimeSpan.FromSeconds(2));

        Assert.Equal(HttpStatusCode.OK, (await AnswerAsync(transport)).Status);
        Assert.Equal(2, upstream.Attempts);
    }

    [Fact]
    public async Task A_body_that_stalls_is_a_time_out_too()
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage { Content = new StallingContent() });
        using var transport = Transport(upstream, attempt: TimeSpan.FromSeconds(2));

        Assert.Equal(UpstreamFailure.Timeout, await FailureAsync(transport, Cancel));
        Assert.Equal(3, upstream.Attempts);
    }

    [Fact]
    public async Task The_total_time_bounds_all_attempts_together()
    {
        var start = _time.GetUtcNow();
        var ends = new List<TimeSpan>();
        using var upstream = new FakeUpstream(_time, (_, token) => FakeUpstream.HangAsync(token, () => ends.Add(_time.GetUtcNow() - start)));
        using var transport = Transport(upstream, total: TimeSpan.FromSeconds(30), attempt: TimeSpan.FromSeconds(20));

        Assert.Equal(UpstreamFailure.Timeout, await FailureAsync(transport, Cancel));
        Assert.Equal([TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30)], ends);
    }

    [Fact]
    public async Task A_caller_that_leaves_is_thrown_and_not_retried()
    {
        using var caller = new CancellationTokenSource();
        using var upstream = new FakeUpstream(_time, (_, token) => FakeUpstream.HangAsync(token));
        using var transport = Transport(upstream);
        var call = SendAsync(transport, caller.Token);
        await Quiet.SettleAsync();

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _time.RunUntilAsync(call));
        Assert.Equal(1, upstream.Attempts);
    }

    [Fact]
    public async Task A_connection_that_breaks_because_the_time_is_over_is_a_time_out()
    {
        using var upstream = new FakeUpstream(_time, async (_, token) =>
        {
            try
            {
                return await FakeUpstream.HangAsync(token);
            }
            catch (OperationCanceledException)
            {
                throw new HttpRequestException(HttpRequestError.ResponseEnded);
            }
        });
        using var transport = Transport(upstream, attempt: TimeSpan.FromSeconds(2));

        Assert.Equal(UpstreamFailure.Timeout, await FailureAsync(transport, Cancel));
    }

    [Fact]
    public async Task A_caller_that_leaves_between_attempts_is_thrown_and_not_retried()
    {
        using var caller = new CancellationTokenSource();
        using var upstream = new FakeUpstream(_time, _ => Answer(503, retryAfter: "1"));
        using var transport = Transport(upstream);
        var call = SendAsync(transport, caller.Token);
        await Quiet.SettleAsync();
        Assert.False(call.IsCompleted);

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _time.RunUntilAsync(call));
        Assert.Equal(1, upstream.Attempts);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(599)]
    public async Task A_5xx_is_retried_twice_at_most(int status)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(status));
        using var transport = Transport(upstream);

        var answer = await AnswerAsync(transport);

        Assert.Equal(status, (int)answer.Status);
        Assert.Equal(UpstreamFailure.Rejected, answer.Failure);
        Assert.Equal(3, upstream.Attempts);
    }

    [Fact]
    public async Task A_retry_that_succeeds_is_the_last()
    {
        using var upstream = new FakeUpstream(_time, attempt => Answer(attempt == 0 ? 500 : 200));
        using var transport = Transport(upstream);

        Assert.Equal(HttpStatusCode.OK, (await AnswerAsync(transport)).Status);
        Assert.Equal(2, upstream.Attempts);
        Assert.NotSame(upstream.Requests[0], upstream.Requests[1]);
        Assert.True(upstream.Gap(1) > TimeSpan.Zero);
    }

    [Theory]
    [InlineData(204)]
    [InlineData(301)]
    [InlineData(304)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(408)]
    [InlineData(409)]
    [InlineData(422)]
    public async Task Any_other_status_is_an_answer_and_never_retried(int status)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(status, retryAfter: "1"));
        using var transport = Transport(upstream);

        Assert.Equal(status, (int)(await AnswerAsync(transport)).Status);
        Assert.Equal(1, upstream.Attempts);
    }

    [Theory]
    [InlineData(429, null, 1)]
    [InlineData(429, "0", 3)]
    [InlineData(429, "1", 3)]
    [InlineData(429, "2", 1)]
    [InlineData(429, "60", 1)]
    [InlineData(429, "nonsense", 1)]
    [InlineData(503, "1", 3)]
    [InlineData(503, "60", 1)]
    [InlineData(503, "nonsense", 3)]
    public async Task Retry_After_decides_whether_it_is_tried_again(int status, string? retryAfter, int attempts)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(status, retryAfter: retryAfter));
        using var transport = Transport(upstream);

        Assert.Equal(status, (int)(await AnswerAsync(transport)).Status);
        Assert.Equal(attempts, upstream.Attempts);
        if (retryAfter == "1")
        {
            Assert.True(upstream.Gap(1) >= TimeSpan.FromSeconds(1), "It did not wait for Retry-After.");
            Assert.True(upstream.Gap(2) >= TimeSpan.FromSeconds(1), "It did not wait for Retry-After.");
        }
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(-3600, 3)]
    [InlineData(60, 1)]
    public async Task Retry_After_may_be_a_date(int secondsFromNow, int attempts)
    {
        using var upstream = new FakeUpstream(_time, _ =>
        {
            var answer = Answer(429);
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(_time.GetUtcNow() + TimeSpan.FromSeconds(secondsFromNow));
            return answer;
        });
        using var transport = Transport(upstream);

        var answer = await AnswerAsync(transport);

        Assert.Equal(attempts, upstream.Attempts);
        Assert.Equal(TimeSpan.FromSeconds(Math.Max(0, secondsFromNow)), answer.RetryAfter);
    }

    [Fact]
    public async Task A_network_that_fails_is_tried_again_and_then_unreachable()
    {
        using var upstream = new FakeUpstream(_time, (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError));
        using var transport = Transport(upstream);

        Assert.Equal(UpstreamFailure.Unreachable, await FailureAsync(transport, Cancel));
        Assert.Equal(3, upstream.Attempts);
    }

    [Fact]
    public async Task A_connection_lost_in_the_body_is_tried_again_and_then_unreachable()
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage { Content = new BreakingContent(new HttpIOException(HttpRequestError.ResponseEnded)) });
        using var transport = Transport(upstream);

        Assert.Equal(UpstreamFailure.Unreachable, await FailureAsync(transport, Cancel));
        Assert.Equal(3, upstream.Attempts);
    }

    [Fact]
    public async Task An_undecodable_body_is_a_bad_payload_and_not_tried_again()
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage { Content = new BreakingContent(new InvalidDataException()) });
        using var transport = Transport(upstream);

        Assert.Equal(UpstreamFailure.BadPayload, await FailureAsync(transport, Cancel));
        Assert.Equal(1, upstream.Attempts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_is_too_large_is_a_bad_payload_and_not_tried_again(bool announced)
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage
        {
            Content = new SizedContent(new BillingOptions().MaxResponseBytes + 1, announced),
        });
        using var transport = Transport(upstream);

        Assert.Equal(UpstreamFailure.BadPayload, await FailureAsync(transport, Cancel));
        Assert.Equal(1, upstream.Attempts);
    }

    [Fact]
    public async Task A_body_of_the_largest_size_is_read()
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage { Content = new SizedContent(new BillingOptions().MaxResponseBytes, announced: false) });
        using var transport = Transport(upstream);

        Assert.Equal(new BillingOptions().MaxResponseBytes, (await AnswerAsync(transport)).Body.Length);
    }

    [Fact]
    public async Task Retries_end_when_their_budget_is_spent()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(500));
        using var transport = Transport(upstream);

        var attempts = new List<int>();
        for (var call = 0; call < 11; call++)
        {
            var before = upstream.Attempts;
            await AnswerAsync(transport);
            attempts.Add(upstream.Attempts - before);
        }

        // Ten saved up and a tenth earned by each call: 100 - 5 * 20 + 4 = 4 tenths after five calls, ten tenths again at the eleventh.
        Assert.Equal([3, 3, 3, 3, 3, 1, 1, 1, 1, 1, 2], attempts);
    }

    [Fact]
    public async Task The_circuit_opens_at_half_of_100_attempts_failing_and_closes_after_5_s()
    {
        var status = 200;
        using var upstream = new FakeUpstream(_time, _ => Answer(status, retryAfter: "60"));
        using var transport = Transport(upstream);
        await RepeatAsync(transport, 50);
        status = 503;
        await RepeatAsync(transport, 49);
        await RepeatAsync(transport, 1);

        // Now it is open: nothing is sent any more, and what opened it is known.
        status = 200;
        Assert.Equal(100, upstream.Attempts);
        Assert.Equal((UpstreamFailure.Rejected, "rejected", "503"), (transport.CircuitCause, transport.Health.Report().CircuitOpenedBy, transport.Health.Report().LastCause));
        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
        Assert.Equal(100, upstream.Attempts);

        _time.Advance(TimeSpan.FromSeconds(0.2));
        await RepeatAsync(transport, 2);
        Assert.Equal(102, upstream.Attempts);
        Assert.Equal((null, null), (transport.CircuitCause, transport.Health.Report().CircuitOpenedBy));
    }

    [Fact]
    public async Task The_circuit_opens_again_when_the_first_attempt_after_5_s_fails()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(503, retryAfter: "60"));
        using var transport = Transport(upstream);
        await RepeatAsync(transport, 100);
        _time.Advance(TimeSpan.FromSeconds(5.1));

        await RepeatAsync(transport, 1);
        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
        Assert.Equal(101, upstream.Attempts);
    }

    [Fact]
    public async Task The_circuit_stays_closed_below_half_and_below_100()
    {
        var status = 503;
        using var upstream = new FakeUpstream(_time, _ => Answer(status, retryAfter: "60"));
        using var transport = Transport(upstream);
        await RepeatAsync(transport, 99);
        status = 200;
        await RepeatAsync(transport, 101);

        // 99 of 200 failed so far, one more does make it half.
        status = 503;
        await RepeatAsync(transport, 2);
        Assert.Equal(202, upstream.Attempts);
        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
    }

    [Fact]
    public async Task Failures_longer_than_30_s_ago_are_forgotten()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(503, retryAfter: "60"));
        using var transport = Transport(upstream);
        await RepeatAsync(transport, 99);
        _time.Advance(TimeSpan.FromSeconds(34));

        await RepeatAsync(transport, 99);

        Assert.Equal(198, upstream.Attempts);
    }

    [Fact]
    public async Task A_time_out_and_a_lost_connection_count_for_the_circuit()
    {
        using var upstream = new FakeUpstream(_time, (attempt, token) =>
            attempt % 2 == 0 ? throw new HttpRequestException(HttpRequestError.ConnectionError) : FakeUpstream.HangAsync(token));
        using var transport = Transport(upstream, attempt: TimeSpan.FromMilliseconds(100));
        var call = Task.WhenAll(Enumerable.Range(0, 100).Select(_ => SendAsync(transport, Cancel)));

        await UntilOpenAsync(transport);

        Assert.Equal(UpstreamFailure.CircuitOpen, (await AtOnceAsync(SendAsync(transport, Cancel))).Failure);
        await _time.RunUntilAsync(call);
    }

    [Fact]
    public async Task A_bad_body_never_counts_for_the_circuit()
    {
        using var upstream = new FakeUpstream(_time, attempt => (attempt % 4) switch
        {
            0 => Answer(200, "<html>"),
            1 => Answer(404, "no"),
            2 => new HttpResponseMessage { Content = new SizedContent(new BillingOptions().MaxResponseBytes + 1, announced: true) },
            _ => new HttpResponseMessage { Content = new BreakingContent(new InvalidDataException()) },
        });
        using var transport = Transport(upstream);

        for (var call = 0; call < 300; call++)
        {
            await SendAsync(transport, Cancel);
        }

        Assert.Equal(300, upstream.Attempts);
    }

    [Fact]
    public async Task Throttling_never_counts_for_the_circuit()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(429));
        using var transport = Transport(upstream);

        await RepeatAsync(transport, 200);

        Assert.Equal(200, upstream.Attempts);
    }

    private static Task<UpstreamResult<UpstreamResponse>> SendAsync(UpstreamTransport transport, CancellationToken cancellationToken) =>
        transport.SendAsync("v1/thing?x=1", [], new RequestTimings(), cancellationToken);

    private async Task<UpstreamResponse> AnswerAsync(UpstreamTransport transport)
    {
        var result = await _time.RunUntilAsync(SendAsync(transport, Cancel));
        Assert.True(result.TryGet(out var answer, out var failure), failure.ToString());
        return answer;
    }

    private async Task<UpstreamFailure?> FailureAsync(UpstreamTransport transport, CancellationToken cancellationToken) =>
        (await _time.RunUntilAsync(SendAsync(transport, cancellationToken))).Failure;

    private static async Task RepeatAsync(UpstreamTransport transport, int times)
    {
        for (var call = 0; call < times; call++)
        {
            Assert.Null((await SendAsync(transport, Cancel)).Failure);
        }
    }

    private UpstreamTransport Transport(FakeUpstream upstream, TimeSpan? total = null, TimeSpan? attempt = null) => new(
        "billing",
        new BillingOptions { BaseAddress = new Uri("https://billing.example/base"), Timeout = total ?? Ample, AttemptTimeout = attempt ?? Ample },
        upstream,
        _time,
        NullLogger.Instance);

    private static HttpResponseMessage Answer(int status, string body = "{}", string? retryAfter = null)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body) };
        if (retryAfter is not null)
        {
            answer.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
        }

        return answer;
    }

    private sealed class SizedContent(int size, bool announced) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            stream.WriteAsync(new byte[size]).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return announced;
        }
    }

    private sealed class BreakingContent(Exception exception) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.FromException(exception);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class StallingContent : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.FromException(new NotSupportedException());

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            FakeUpstream.HangAsync(cancellationToken);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>What SocketsHttpHandler throws when ConnectTimeout has passed.</summary>
    [Fact]
    public async Task A_connection_that_is_not_made_in_time_is_a_failure_and_not_a_cancellation()
    {
        using var upstream = new FakeUpstream(_time, (_, _) => throw new TaskCanceledException("A task was canceled.", new TimeoutException("ConnectTimeout")));
        using var transport = Made(upstream, TimeSpan.FromHours(1), TimeSpan.FromHours(1));

        var result = await _time.RunUntilAsync(SendAsync(transport, Cancel));

        Assert.Contains(result.Failure!.Value, new[] { UpstreamFailure.Timeout, UpstreamFailure.Unreachable });
        Assert.Equal(3, upstream.Attempts);
    }

    [Fact]
    public async Task A_garbled_brotli_body_is_a_bad_payload()
    {
        using var upstream = new FakeUpstream(_time, _ => new HttpResponseMessage
        {
            Content = new StreamContent(new BrotliStream(new MemoryStream("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"u8.ToArray()), CompressionMode.Decompress)),
        });
        using var transport = Made(upstream, TimeSpan.FromHours(1), TimeSpan.FromHours(1));

        Assert.Equal(UpstreamFailure.BadPayload, (await SendAsync(transport, Cancel)).Failure);
    }

    [Fact]
    public async Task A_hanging_upstream_opens_the_circuit_where_attempt_and_total_are_equal()
    {
        using var upstream = new FakeUpstream(_time, (_, token) => FakeUpstream.HangAsync(token));
        using var transport = Made(upstream, TimeSpan.FromSeconds(2), null);

        var sent = Task.WhenAll(Enumerable.Range(0, 150).Select(_ => SendAsync(transport, Cancel)));
        await UntilOpenAsync(transport);

        Assert.Equal(UpstreamFailure.CircuitOpen, (await AtOnceAsync(SendAsync(transport, Cancel))).Failure);
        Assert.All(await _time.RunUntilAsync(sent), call => Assert.Contains(call.Failure!.Value, new[] { UpstreamFailure.Timeout, UpstreamFailure.CircuitOpen }));
    }

    /// <summary>Step by step, and not on until all calls are done: the clock would run past the end of the pause.</summary>
    private async Task UntilOpenAsync(UpstreamTransport transport)
    {
        for (var step = 0; transport.Circuit != CircuitState.Open; step++)
        {
            Assert.True(step < 1_000, "The circuit never opened.");
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Quiet.SettleAsync();
        }
    }

    /// <summary>Without the clock moving; on this clock nothing else would ever end it.</summary>
    private static Task<T> AtOnceAsync<T>(Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

    [Fact]
    public async Task A_hanging_upstream_opens_the_circuit_with_the_defaults()
    {
        using var upstream = new FakeUpstream(_time, (_, token) => FakeUpstream.HangAsync(token));
        using var transport = Made(upstream, null, null);

        var open = 0;
        for (var round = 0; round < 5; round++)
        {
            var calls = await _time.RunUntilAsync(Task.WhenAll(Enumerable.Range(0, 100).Select(_ => SendAsync(transport, Cancel))));
            open += calls.Count(call => call.Failure == UpstreamFailure.CircuitOpen);
        }

        Assert.NotEqual(0, open);
    }

    [Fact]
    public async Task Loads_that_ran_out_of_time_do_not_make_a_failing_upstream_look_healthy()
    {
        var hang = true;
        using var upstream = new FakeUpstream(_time, (_, token) => hang ? FakeUpstream.HangAsync(token) : Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Headers = { { "Retry-After", "60" } } }));
        using var transport = Made(upstream, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        using var caller = new CancellationTokenSource();
        var left = Enumerable.Range(0, 150).Select(_ => SendAsync(transport, caller.Token)).ToList();
        await caller.CancelAsync();
        foreach (var call in left)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        }

        hang = false;
        for (var i = 0; i < 100; i++)
        {
            await SendAsync(transport, Cancel);
        }

        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
    }

    [Fact]
    public async Task A_probe_that_runs_out_of_time_does_not_close_the_circuit()
    {
        var hang = false;
        using var upstream = new FakeUpstream(_time, (_, token) => hang ? FakeUpstream.HangAsync(token) : Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Headers = { { "Retry-After", "60" } } }));
        using var transport = Made(upstream, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
        for (var i = 0; i < 100; i++)
        {
            await SendAsync(transport, Cancel);
        }

        _time.Advance(TimeSpan.FromSeconds(5.1));
        hang = true;
        using var caller = new CancellationTokenSource();
        var probe = SendAsync(transport, caller.Token);
        await Quiet.SettleAsync();
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probe);

        hang = false;
        await SendAsync(transport, Cancel); // the next probe
        Assert.Equal(UpstreamFailure.CircuitOpen, (await SendAsync(transport, Cancel)).Failure);
    }

    private UpstreamTransport Made(HttpMessageHandler upstream, TimeSpan? total, TimeSpan? attempt) => new(
        "billing", new BillingOptions { BaseAddress = new Uri("https://billing.example/"), Timeout = total, AttemptTimeout = attempt }, upstream, _time, NullLogger.Instance);
}
