using System.Globalization;
using System.Net;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Tests.Configuration;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Upstreams.Billing;

public sealed class BillingClientTests
{
    private readonly TestClock _time = new();
    private readonly Tokens _tokens = new();
    private readonly BillingOptions _options = new() { BaseAddress = new Uri("https://billing.example/") };

    [Fact]
    public async Task A_call_carries_token_status_language_and_sandbox()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(404));
        _options.LanguageParameter = "lang";

        await AskAsync(upstream, new ComponentsRequest("a.b", "active", "fr", Sandbox: true));
        await AskAsync(upstream, new ComponentsRequest("a", "draft", Language: null, Sandbox: false));

        Assert.Equal(
            ["https://billing.example/v1/products/a.b/components?filter_status=active&lang=fr", "https://billing.example/v1/products/a/components?filter_status=draft"],
            upstream.Requests.Select(request => request.RequestUri!.AbsoluteUri));
        Assert.Equal("Bearer token-1", upstream.Requests[0].Headers.Authorization?.ToString());
        Assert.Equal(["true"], upstream.Requests[0].Headers.GetValues("sandbox"));
        Assert.False(upstream.Requests[1].Headers.Contains("sandbox"));
    }

    [Fact]
    public async Task Without_a_token_nothing_is_sent()
    {
        _tokens.Failing = true;
        using var upstream = new FakeUpstream(_time, _ => Answer(200));

        Assert.Equal(UpstreamFailure.TokenUnavailable, (await AskAsync(upstream)).Failure);
        Assert.Equal(0, upstream.Attempts);
    }

    [Fact]
    public async Task An_unknown_product_is_an_answer()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(404));

        Assert.True((await AskAsync(upstream)).TryGet(out var components, out _));
        Assert.Null(components);
    }

    [Fact]
    public async Task After_a_401_the_token_is_renewed_and_the_call_repeated_once()
    {
        using var upstream = new FakeUpstream(_time, attempt => Answer(attempt == 0 ? 401 : 404));

        Assert.Null((await AskAsync(upstream)).Failure);
        Assert.Equal(["Bearer token-1", "Bearer token-2"], upstream.Requests.Select(request => request.Headers.Authorization?.ToString()));
    }

    [Fact]
    public async Task A_401_after_the_retry_is_a_rejection()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(401));

        Assert.Equal(UpstreamFailure.Rejected, (await AskAsync(upstream)).Failure);
        Assert.Equal(2, upstream.Attempts);
        Assert.Equal(2, _tokens.Issued);
    }

    [Fact]
    public async Task A_path_that_always_answers_401_does_not_burn_tokens()
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(401));
        using var harness = new Harness(this, upstream);

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(UpstreamFailure.Rejected, (await harness.Client.ListComponentsAsync(Question, new RequestTimings(), TestContext.Current.CancellationToken)).Failure);
        }

        Assert.Equal(2, _tokens.Issued);
        Assert.Equal(101, upstream.Attempts);
    }

    [Fact]
    public async Task A_401_when_no_other_token_can_be_had_is_a_missing_token()
    {
        using var upstream = new FakeUpstream(_time, _ =>
        {
            _tokens.Failing = true;
            return Answer(401);
        });

        Assert.Equal(UpstreamFailure.TokenUnavailable, (await AskAsync(upstream)).Failure);
        Assert.Equal(1, upstream.Attempts);
    }

    [Fact]
    public async Task Waiting_for_another_token_after_a_401_is_waiting_for_a_token()
    {
        using var upstream = new FakeUpstream(_time, attempt =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _tokens.OnRequest = () => _time.Advance(TimeSpan.FromSeconds(3));
            return Answer(attempt == 0 ? 401 : 404);
        });
        var (seen, started) = (new RequestTimings(), _time.GetTimestamp());
        await AskAsync(upstream, waits: seen);

        Assert.Equal(
            [("token", 3), ("billing", 2), ("paymentwall", 0), ("cache", 0), ("gateway", 0)],
            seen.Between(started, _time.GetTimestamp(), _time).Select(share => (share.Phase, share.Duration.TotalSeconds)));
    }

    [Theory]
    [InlineData(400, "Rejected")]
    [InlineData(403, "Rejected")]
    [InlineData(302, "Rejected")]
    [InlineData(429, "Throttled")]
    public async Task Any_other_refusal_is_one_of_the_failures(int status, string failure)
    {
        using var upstream = new FakeUpstream(_time, _ => Answer(status));

        Assert.Equal(failure, (await AskAsync(upstream)).Failure?.ToString());
        Assert.Equal(1, upstream.Attempts);
    }

    private static ComponentsRequest Question => new("p", "active", Language: null, Sandbox: false);

    private static HttpResponseMessage Answer(int status) => new((HttpStatusCode)status) { Content = new StringContent("{}") };

    private async Task<UpstreamResult<IReadOnlyList<BillingComponent>?>> AskAsync(FakeUpstream upstream, ComponentsRequest? question = null, RequestTimings? waits = null)
    {
        using var harness = new Harness(this, upstream);
        return await harness.Client.ListComponentsAsync(question ?? Question, waits ?? new RequestTimings(), TestContext.Current.CancellationToken);
    }

    private sealed class Harness : IDisposable
    {
        private readonly RedisConnection _redis;

        public Harness(BillingClientTests test, FakeUpstream upstream)
        {
            var redisOptions = Fixed.Options(new RedisOptions());
            _redis = new RedisConnection(redisOptions, test._time, NullLogger<RedisConnection>.Instance);
            var store = new AccessTokenStore(_redis, new RedisLease(_redis, redisOptions, test._time), Fixed.Options(new AccessTokensOptions { ClientSecret = "s" }), redisOptions, test._time);
            Client = new BillingClient(
                new UpstreamTransport("billing", test._options, upstream, test._time, NullLogger.Instance),
                new AccessTokenProvider(test._tokens, store, test._time, NullLogger<AccessTokenProvider>.Instance),
                Fixed.Options(test._options),
                test._time,
                NullLogger<BillingClient>.Instance);
        }

        public BillingClient Client { get; }

        public void Dispose() => _redis.Dispose();
    }

    private sealed class Tokens : ITokenEndpoint
    {
        public int Issued { get; private set; }

        public bool Failing { get; set; }

        public Action? OnRequest { get; set; }

        public Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken)
        {
            OnRequest?.Invoke();
            return Task.FromResult(Failing ? null : new IssuedToken("token-" + (++Issued).ToString(CultureInfo.InvariantCulture), TimeSpan.FromHours(1)));
        }
    }
}
