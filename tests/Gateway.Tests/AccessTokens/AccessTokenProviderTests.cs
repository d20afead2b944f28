using System.Diagnostics;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Observability;
using Gateway.Tests.Configuration;
using Gateway.Tests.Observability;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.AccessTokens;

public sealed class AccessTokenProviderTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    private readonly TestClock _time = new();
    private readonly FakeTokenEndpoint _endpoint = new(Life);
    private readonly LogRecorder<AccessTokenProvider> _log = new();
    private readonly RedisConnection _redis;
    private readonly AccessTokenProvider _provider;

    public AccessTokenProviderTests()
    {
        var redisOptions = Fixed.Options(new RedisOptions());
        _redis = new RedisConnection(redisOptions, _time, NullLogger<RedisConnection>.Instance);
        var store = new AccessTokenStore(
            _redis, new RedisLease(_redis, redisOptions, _time), Fixed.Options(new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" }), redisOptions, _time);
        _provider = new AccessTokenProvider(_endpoint, store, _time, _log);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _redis.Dispose();

    [Fact]
    public async Task Many_concurrent_callers_make_one_request()
    {
        _endpoint.Hold();
        var callers = Enumerable.Range(0, 1_000).Select(_ => Task.Run(() => _provider.GetAsync(Cancel).AsTask(), Cancel)).ToList();
        await _endpoint.RequestedAsync(1);
        _endpoint.Release();

        var tokens = await Task.WhenAll(callers);

        Assert.Equal(1, _endpoint.Requests);
        Assert.Equal("token-1", Assert.Single(tokens.Distinct())?.Value);
    }

    [Fact]
    public async Task The_token_server_is_measured_until_it_has_answered_and_what_is_done_with_the_token_is_not_its_time()
    {
        using var metrics = new MetricRecorder();
        IReadOnlyList<double> measured = [];
        _endpoint.Hold();
        _log.OnLine = _ => measured = metrics.Of("gateway.upstream.duration", "outcome=ok,upstream=authorization");
        var token = _provider.GetAsync(Cancel);
        await _endpoint.RequestedAsync(1);
        _time.Advance(TimeSpan.FromSeconds(2));
        _endpoint.Release();
        await token;

        // By the line that says that a token was obtained; it is put into Redis after that.
        Assert.Equal([2], measured);
        Assert.Equal([1, -1], metrics.Of("gateway.upstream.in_flight", "upstream=authorization"));
    }

    [Theory]
    [InlineData(true, "failed")]
    [InlineData(false, "timeout")]
    public async Task A_token_server_that_refuses_and_one_that_hangs_are_told_apart(bool refuses, string outcome)
    {
        using var metrics = new MetricRecorder();
        _endpoint.Failing = refuses;
        if (!refuses)
        {
            _endpoint.Hold();
        }

        Assert.Null(await _time.RunUntilAsync(_provider.GetAsync(Cancel).AsTask()));

        Assert.Single(metrics.Of("gateway.upstream.duration", $"outcome={outcome},upstream=authorization"));
        Assert.Equal([1], metrics.Of("gateway.token.renewals", "result=failed"));
        Assert.Equal(outcome, _provider.Health.Report().LastOutcome);
    }

    [Fact]
    public async Task A_token_in_memory_is_used_without_waiting()
    {
        var first = await _provider.GetAsync(Cancel);
        var again = _provider.GetAsync(Cancel);

        Assert.True(again.IsCompletedSuccessfully);
        Assert.Same(first, await again);
        Assert.Equal(1, _endpoint.Requests);
        Assert.False(first!.FollowsRejection);
        Assert.Equal(_time.Monotonic(), first.ObtainedAt);
        Assert.Equal(_time.Monotonic() + Life, first.ExpiresAt);
    }

    [Fact]
    public async Task Whether_there_is_a_token_and_how_old_it_is_can_be_asked_at_any_time()
    {
        Assert.Equal((false, null), (_provider.HasToken, _provider.TokenAge));

        await _provider.GetAsync(Cancel);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(_provider.HasToken);
        Assert.Equal((TimeSpan.FromMinutes(1), Life - TimeSpan.FromMinutes(1)), _provider.TokenAge);

        _time.Advance(Life - TimeSpan.FromSeconds(90));
        Assert.Equal((false, null), (_provider.HasToken, _provider.TokenAge));
    }

    [Theory]
    [InlineData(false, ActivityStatusCode.Unset)]
    [InlineData(true, ActivityStatusCode.Error)]
    public async Task A_request_for_a_token_is_seen_in_traces_and_one_that_gave_none_as_an_error(bool failing, ActivityStatusCode status)
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Metrics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        _endpoint.Failing = failing;

        await _provider.GetAsync(Cancel);

        var span = Assert.Single(spans);
        Assert.Equal(("token", ActivityKind.Internal, status), (span.DisplayName, span.Kind, span.Status));
    }

    [Fact]
    public async Task A_caller_that_leaves_does_not_stop_the_load_for_others()
    {
        using var impatient = new CancellationTokenSource();
        _endpoint.Hold();
        var leaves = _provider.GetAsync(impatient.Token).AsTask();
        var stays = _provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel));
        Assert.False(stays.IsCompleted);
        _endpoint.Release();

        Assert.Equal("token-1", (await stays)?.Value);
        Assert.Equal(1, _endpoint.Requests);
    }

    [Fact]
    public async Task A_load_whose_only_caller_left_is_not_wasted()
    {
        using var impatient = new CancellationTokenSource();
        _endpoint.Hold();
        var leaves = _provider.GetAsync(impatient.Token).AsTask();
        await _endpoint.RequestedAsync(1);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel));
        _endpoint.Release();

        Assert.Equal("token-1", (await _provider.GetAsync(Cancel))?.Value);
        Assert.Equal(1, _endpoint.Requests);
    }

    [Fact]
    public async Task A_failure_is_not_cached()
    {
        _endpoint.Failing = true;
        Assert.Null(await _provider.GetAsync(Cancel));

        _endpoint.Failing = false;

        Assert.NotNull(await _provider.GetAsync(Cancel));
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task Repeated_failures_back_off_and_the_pause_grows_to_30_s_at_most()
    {
        _endpoint.Failing = true;
        var pauses = new List<TimeSpan>();
        await _provider.GetAsync(Cancel);
        var last = _time.GetUtcNow();

        while (pauses.Count < 10)
        {
            var before = _endpoint.Requests;
            Assert.Null(await _provider.GetAsync(Cancel));
            if (_endpoint.Requests > before)
            {
                pauses.Add(_time.GetUtcNow() - last);
                last = _time.GetUtcNow();
            }

            _time.Advance(TimeSpan.FromMilliseconds(50));
        }

        // The first failure may be chance: the second try follows at once.
        Assert.InRange(pauses[0], TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
        double[] longest = [1, 2, 4, 8, 16, 30, 30, 30, 30];
        Assert.All(longest.Zip(pauses.Skip(1)), pair => Assert.InRange(pair.Second.TotalSeconds, pair.First / 2, pair.First + 0.05));
    }

    [Fact]
    public async Task A_success_ends_the_back_off()
    {
        _endpoint.Failing = true;
        for (var i = 0; i < 200; i++)
        {
            await _provider.GetAsync(Cancel);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _endpoint.Failing = false;
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(await _provider.GetAsync(Cancel));

        // Later failures begin anew: two at once, then a pause.
        _endpoint.Failing = true;
        _time.Advance(Life);
        var before = _endpoint.Requests;
        Assert.Null(await _provider.GetAsync(Cancel));
        Assert.Null(await _provider.GetAsync(Cancel));
        Assert.Null(await _provider.GetAsync(Cancel));
        Assert.Equal(before + 2, _endpoint.Requests);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _provider.GetAsync(Cancel));
        Assert.Equal(before + 3, _endpoint.Requests);
    }

    [Fact]
    public async Task A_token_is_renewed_when_it_is_no_longer_usable()
    {
        var first = await _provider.GetAsync(Cancel);

        _time.Advance(Life - TimeSpan.FromSeconds(31));
        Assert.Same(first, await _provider.GetAsync(Cancel));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("token-2", (await _provider.GetAsync(Cancel))?.Value);
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task An_endpoint_that_hangs_gives_nothing_after_the_load_s_own_deadline()
    {
        _endpoint.Hold();
        var start = _time.GetUtcNow();
        var call = _provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);

        _time.Advance(AccessTokenProvider.LoadTimeout - TimeSpan.FromMilliseconds(1));
        await Quiet.SettleAsync();
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Null(await call);
        Assert.Equal(TimeSpan.FromSeconds(10), _time.GetUtcNow() - start);
        _endpoint.Release();
        Assert.NotNull(await _provider.GetAsync(Cancel));
    }

    [Fact]
    public async Task A_thousand_rejections_of_one_token_make_one_renewal()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        _endpoint.Hold();
        var callers = Enumerable.Range(0, 1_000)
            .Select(_ => Task.Run(() => _provider.RenewRejectedAsync(rejected, Cancel).AsTask(), Cancel))
            .ToList();
        await _endpoint.RequestedAsync(2);
        _endpoint.Release();

        var renewed = await Task.WhenAll(callers);

        Assert.Equal(2, _endpoint.Requests);
        var token = Assert.Single(renewed.Distinct());
        Assert.Equal("token-2", token?.Value);
        Assert.True(token!.FollowsRejection);
        Assert.Same(token, await _provider.GetAsync(Cancel));
    }

    [Fact]
    public async Task A_thousand_rejections_one_after_another_make_one_renewal()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;

        for (var i = 0; i < 1_000; i++)
        {
            Assert.Equal("token-2", (await _provider.RenewRejectedAsync(rejected, Cancel))?.Value);
        }

        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task Who_asks_for_a_token_while_a_rejected_one_is_renewed_gets_the_new_one()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        _endpoint.Hold();
        var renewal = _provider.RenewRejectedAsync(rejected, Cancel).AsTask();
        await _endpoint.RequestedAsync(2);

        var other = _provider.GetAsync(Cancel).AsTask();
        Assert.False(other.IsCompleted);
        _endpoint.Release();

        Assert.Same(await renewal, await other);
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_token_that_follows_a_rejection_is_not_renewed_within_30_s()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        var follower = (await _provider.RenewRejectedAsync(rejected, Cancel))!;

        Assert.Same(follower, await _provider.RenewRejectedAsync(follower, Cancel));
        _time.Advance(AccessTokenProvider.RejectionGuard - TimeSpan.FromMilliseconds(1));
        Assert.Same(follower, await _provider.RenewRejectedAsync(follower, Cancel));
        Assert.Same(follower, await _provider.GetAsync(Cancel));
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_token_that_follows_a_rejection_is_renewed_after_30_s()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        var follower = (await _provider.RenewRejectedAsync(rejected, Cancel))!;
        _time.Advance(AccessTokenProvider.RejectionGuard);

        Assert.Equal("token-3", (await _provider.RenewRejectedAsync(follower, Cancel))?.Value);
        Assert.Equal(3, _endpoint.Requests);
    }

    [Fact]
    public async Task A_path_that_always_answers_401_burns_at_most_a_token_every_30_s()
    {
        for (var second = 0; second < 120; second++)
        {
            var token = (await _provider.GetAsync(Cancel))!;
            await _provider.RenewRejectedAsync(token, Cancel);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_endpoint.Requests, 2, 6);
    }

    [Fact]
    public async Task A_rejection_of_an_old_token_yields_the_current_one_without_a_request()
    {
        var old = (await _provider.GetAsync(Cancel))!;
        _time.Advance(Life);
        var current = await _provider.GetAsync(Cancel);

        Assert.Same(current, await _provider.RenewRejectedAsync(old, Cancel));
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_rejection_while_no_token_can_be_had_yields_none()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        _endpoint.Failing = true;

        Assert.Null(await _provider.RenewRejectedAsync(rejected, Cancel));
        Assert.Null(await _provider.GetAsync(Cancel));

        _endpoint.Failing = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("token-2", (await _provider.GetAsync(Cancel))?.Value);
    }

    [Fact]
    public async Task A_server_that_issues_the_rejected_token_again_is_asked_twice_and_its_token_is_not_handed_out()
    {
        _endpoint.AlwaysTheSame = true;
        var rejected = (await _provider.GetAsync(Cancel))!;

        Assert.Null(await _provider.RenewRejectedAsync(rejected, Cancel));

        Assert.Equal(3, _endpoint.Requests);
    }

    [Fact]
    public async Task A_rejected_token_is_never_handed_out_again()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        using var impatient = new CancellationTokenSource();
        _endpoint.Hold();
        var leaves = _provider.RenewRejectedAsync(rejected, impatient.Token).AsTask();
        await _endpoint.RequestedAsync(2);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaves.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel));
        _endpoint.Release();

        Assert.Equal("token-2", (await _provider.GetAsync(Cancel))?.Value);
    }

    [Fact]
    public async Task Before_80_percent_of_its_life_a_token_is_not_renewed()
    {
        await _provider.GetAsync(Cancel);
        _time.Advance((Life * 0.8) - TimeSpan.FromTicks(1));

        Assert.Equal("token-1", await GetAndSettleAsync());
        Assert.Equal(1, _endpoint.Requests);
    }

    [Fact]
    public async Task Between_80_and_85_percent_of_its_life_a_token_is_renewed_not_always_at_the_same_moment()
    {
        var renewedAt = new List<double>();
        var token = (await _provider.GetAsync(Cancel))!;
        for (var times = 0; times < 12; times++)
        {
            var old = token;
            _time.Advance(Life * 0.8);
            while (ReferenceEquals(token, old))
            {
                _time.Advance(Life * 0.001);
                await GetAndSettleAsync();
                token = (await _provider.GetAsync(Cancel))!;
            }

            renewedAt.Add((token.ObtainedAt - old.ObtainedAt) / Life);
        }

        Assert.All(renewedAt, moment => Assert.InRange(moment, 0.8, 0.855));
        Assert.True(renewedAt.Distinct().Count() > 1);
    }

    [Fact]
    public async Task While_a_token_is_renewed_nobody_waits_and_one_request_is_made()
    {
        var first = await _provider.GetAsync(Cancel);
        _time.Advance(Life * 0.86);
        _endpoint.Hold();

        for (var i = 0; i < 100; i++)
        {
            var asked = _provider.GetAsync(Cancel).AsTask();
            Assert.True(asked.IsCompletedSuccessfully);
            Assert.Same(first, await asked);
        }

        await Quiet.UntilAsync(() => _endpoint.Requests == 2);
        await Quiet.SettleAsync();
        Assert.Equal(2, _endpoint.Requests);
        _endpoint.Release();
        await Quiet.SettleAsync();

        var renewed = (await _provider.GetAsync(Cancel))!;
        Assert.Equal("token-2", renewed.Value);
        Assert.False(renewed.FollowsRejection);
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_renewal_that_fails_leaves_the_token_and_is_tried_again_with_growing_pauses()
    {
        await _provider.GetAsync(Cancel);
        _time.Advance(Life * 0.86);
        _endpoint.Failing = true;
        for (var second = 0; second < 120; second++)
        {
            Assert.Equal("token-1", await GetAndSettleAsync());
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        // Two at once, then after at most 1, 2, 4, 8, 16, 30, 30, ... s and at least half of that.
        Assert.InRange(_endpoint.Requests - 1, 2 + 5 + 1, 2 + 6 + 5);

        _endpoint.Failing = false;
        _time.Advance(TimeSpan.FromSeconds(30));
        await Quiet.UntilAsync(async () => await GetAndSettleAsync() == "token-2");
    }

    [Fact]
    public async Task A_renewal_that_hangs_leaves_the_token_and_holds_nobody_up()
    {
        await _provider.GetAsync(Cancel);
        _time.Advance(Life * 0.86);
        _endpoint.Hold();
        Assert.Equal("token-1", await GetAndSettleAsync());

        _time.Advance(AccessTokenProvider.LoadTimeout);
        Assert.Equal("token-1", await GetAndSettleAsync());

        _endpoint.Release();
        await GetAndSettleAsync();
        await Quiet.UntilAsync(async () => await GetAndSettleAsync() == "token-2");
    }

    [Fact]
    public async Task Who_comes_when_the_token_has_expired_waits_for_the_renewal_under_way()
    {
        await _provider.GetAsync(Cancel);
        _time.Advance(Life - TimeSpan.FromSeconds(31));
        _endpoint.Hold();
        Assert.Equal("token-1", await GetAndSettleAsync());
        _time.Advance(TimeSpan.FromSeconds(1));

        var late = _provider.GetAsync(Cancel).AsTask();
        Assert.False(late.IsCompleted);
        Assert.False(_provider.HasToken);
        _endpoint.Release();

        Assert.Equal("token-2", (await late)?.Value);
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_rejection_while_a_renewal_is_under_way_takes_what_that_brings()
    {
        var rejected = (await _provider.GetAsync(Cancel))!;
        _time.Advance(Life * 0.86);
        _endpoint.Hold();
        await GetAndSettleAsync();
        var renewal = _provider.RenewRejectedAsync(rejected, Cancel).AsTask();
        _endpoint.Release();

        Assert.Equal("token-2", (await renewal)?.Value);
        Assert.Equal(2, _endpoint.Requests);
    }

    /// <summary>The token that a caller gets without waiting, after which what that set off has come to rest.</summary>
    private async Task<string?> GetAndSettleAsync()
    {
        var token = await _provider.GetAsync(Cancel);
        await Quiet.SettleAsync();
        return token?.Value;
    }
}
