using System.Net;
using System.Net.Http.Headers;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Drift;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Observability;
using Gateway.Problems;
using Gateway.Security;
using Gateway.Tests.AccessTokens;
using Gateway.Tests.Caching;
using Gateway.Tests.Catalog;
using Gateway.Tests.Configuration;
using Gateway.Tests.Upstreams;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Polly.CircuitBreaker;
using StackExchange.Redis;

namespace Gateway.Tests;

/// <summary>
/// Somebody sets the wall clock while the gateway runs, forward or back, by seconds or days. What one process measures does not notice:
/// nothing lives longer or shorter for it.
/// </summary>
public sealed class ClockJumpTests
{
    /// <summary>In seconds.</summary>
    public static TheoryData<int> Jumps => [-2 * 24 * 3600, -3 * 3600, -600, -3, 3, 600, 3 * 3600, 2 * 24 * 3600];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_value_in_memory_is_fresh_and_then_stale_for_as_long_as_ever(int jump)
    {
        using var test = new CacheUnderTest();
        await test.AskOneAsync();
        Set(test.Time, jump);
        test.Time.Advance(test.Ages.FreshFor - TimeSpan.FromTicks(1));
        await test.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        Assert.Equal(1, test.Loads);

        test.Failing = true;
        test.Time.Advance(TimeSpan.FromTicks(1));
        await test.AskOneAsync();
        await Quiet.UntilAsync(() => test.Loads == 2);
        await Quiet.UntilAsync(async () => (await test.AskOneAsync()).StaleAsOf is not null);

        // The pause after a failed refresh, and the end of the window.
        await test.LandedAsync();
        Set(test.Time, jump);
        test.Time.Advance(TwoLevelCache<string?>.RefreshBackOff);
        await test.AskOneAsync();
        await Quiet.UntilAsync(() => test.Loads == 3);
        await test.LandedAsync();
        test.Time.Advance(test.Ages.StaleFor - TwoLevelCache<string?>.RefreshBackOff - TimeSpan.FromTicks(1));
        Assert.Equal("a1", (await test.AskOneAsync()).Value);
        await test.LandedAsync();
        test.Time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(UpstreamFailure.Unreachable, (await test.AskOneAsync()).Failure);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task That_there_is_no_such_thing_is_asked_again_when_it_always_is(int jump)
    {
        using var test = new CacheUnderTest { SaysNotFound = true };
        await test.AskOneAsync();
        Set(test.Time, jump);
        test.Time.Advance(test.Ages.NotFoundFor - TimeSpan.FromTicks(1));
        await test.AskOneAsync();
        await CacheUnderTest.SettleAsync();
        Assert.Equal(1, test.Loads);

        test.SaysNotFound = false;
        test.Time.Advance(test.Ages.NotFoundFor + TimeSpan.FromTicks(1));

        Assert.Equal("a2", (await test.AskOneAsync()).Value);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public void Memory_forgets_when_it_was_told_to(int jump)
    {
        var time = new TestClock();
        var collection = new ServiceCollection();
        collection.AddSingleton<TimeProvider>(time).AddLogging().AddCaching().AddFixedOptions(new CatalogOptions());
        using var services = collection.BuildServiceProvider();
        var memory = services.GetRequiredService<IMemoryCache>();
        memory.Set("key", "value", new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1), Size = 1 });

        Set(time, jump);
        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.True(memory.TryGetValue("key", out _));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.False(memory.TryGetValue("key", out _));
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_rendered_catalog_is_reused_for_as_long_as_ever_and_says_its_age(int jump)
    {
        using var test = new CatalogUnderTest();
        var first = (await test.AskAsync()).Catalog!;
        Set(test.Time, jump);
        test.Time.Advance(TimeSpan.FromSeconds(59));

        Assert.Same(first, test.Answers.TryGetCurrent(Given.Request()));
        Assert.Equal("59", AgeOf(test));
        test.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(test.Answers.TryGetCurrent(Given.Request()));
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_token_is_renewed_and_given_up_when_it_always_is(int jump)
    {
        using var test = new TokensUnderTest();
        await test.Provider.GetAsync(Cancel);
        Set(test.Time, jump);
        test.Time.Advance(TokensUnderTest.Life * 0.79);
        await test.Provider.GetAsync(Cancel);
        await Quiet.SettleAsync();
        Assert.Equal(1, test.Endpoint.Requests);

        test.Endpoint.Failing = true;
        test.Time.Advance(TokensUnderTest.Life * 0.07);
        Assert.Equal("token-1", (await test.Provider.GetAsync(Cancel))!.Value);
        await Quiet.UntilAsync(() => test.Endpoint.Requests == 2);
        Set(test.Time, jump);
        test.Time.Advance(TokensUnderTest.Life * 0.14);
        Assert.False(test.Provider.HasToken);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task After_failures_a_token_is_asked_for_again_after_the_same_pause(int jump)
    {
        using var test = new TokensUnderTest();
        test.Endpoint.Failing = true;
        for (var failure = 0; failure < 4; failure++)
        {
            await test.Provider.GetAsync(Cancel);
        }

        var requests = test.Endpoint.Requests;
        Set(test.Time, jump);
        await test.Provider.GetAsync(Cancel);
        Assert.Equal(requests, test.Endpoint.Requests);

        test.Endpoint.Failing = false;
        test.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(await test.Provider.GetAsync(Cancel));
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_token_got_for_a_rejection_can_be_rejected_again_after_30_s_and_not_before(int jump)
    {
        using var test = new TokensUnderTest();
        var first = (await test.Provider.GetAsync(Cancel))!;
        var second = (await test.Provider.RenewRejectedAsync(first, Cancel))!;
        Set(test.Time, jump);
        test.Time.Advance(AccessTokenProvider.RejectionGuard - TimeSpan.FromTicks(1));
        Assert.Same(second, await test.Provider.RenewRejectedAsync(second, Cancel));

        test.Time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal("token-3", (await test.Provider.RenewRejectedAsync(second, Cancel))?.Value);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task An_open_circuit_is_tried_after_5_s_and_failures_are_forgotten_after_30_s(int jump)
    {
        var time = new TestClock();
        var status = HttpStatusCode.ServiceUnavailable;
        using var upstream = new FakeUpstream(time, _ => Throttled(status, TimeSpan.FromMinutes(1)));
        using var transport = Transport(time, upstream);
        await CallAsync(99);
        Set(time, jump);
        time.Advance(TimeSpan.FromSeconds(34));
        await CallAsync(99);
        Assert.Equal(CircuitState.Closed, transport.Circuit);
        await CallAsync(1);
        Assert.Equal(CircuitState.Open, transport.Circuit);

        status = HttpStatusCode.OK;
        Set(time, jump);
        await CallAsync(1);
        Assert.Equal(CircuitState.Open, transport.Circuit);
        time.Advance(TimeSpan.FromSeconds(5));
        await CallAsync(1);
        Assert.Equal(CircuitState.Closed, transport.Circuit);

        async Task CallAsync(int times)
        {
            for (var call = 0; call < times; call++)
            {
                await transport.SendAsync("path", [], new RequestTimings(), Cancel);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_date_in_Retry_After_is_reckoned_from_the_server_s_own_clock(int jump)
    {
        var time = new TestClock();
        var server = time.GetUtcNow();
        using var upstream = new FakeUpstream(time, _ => Throttled(HttpStatusCode.TooManyRequests, server + TimeSpan.FromSeconds(60), server));
        using var transport = Transport(time, upstream);
        Set(time, jump);

        Assert.True((await transport.SendAsync("path", [], new RequestTimings(), Cancel)).TryGet(out var answer, out _));

        Assert.Equal((TimeSpan.FromSeconds(60), 1), (answer.RetryAfter, upstream.Attempts));
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public void How_an_upstream_was_doing_is_that_of_the_last_minute(int jump)
    {
        var time = new TestClock();
        var health = new DependencyHealth("thing", time, NullLogger.Instance);
        health.Begin().Dispose();
        Set(time, jump);
        time.Advance(TimeSpan.FromSeconds(58));
        Assert.Equal((1, 1), (health.Report().Calls, health.Report().ErrorRate));

        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, health.Report().Calls);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task A_client_s_bucket_fills_at_its_rate(int jump)
    {
        var time = new TestClock();
        using var noRedis = new RedisConnection(Fixed.Options(new RedisOptions()), time, NullLogger<RedisConnection>.Instance);
        await using var bucket = new RedisTokenBucketLimiter(new RateLimitOptions { PermitsPerSecond = 0.1, Burst = 1 }, "unused", noRedis, time);
        Assert.True(await PermitsAsync(bucket));
        Set(time, jump);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(await PermitsAsync(bucket));

        time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.True(await PermitsAsync(bucket));
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task What_was_purged_stays_purged(int jump)
    {
        using var test = new CacheUnderTest();
        await test.AskOneAsync();
        Set(test.Time, jump);

        await test.PurgeAsync("a", hard: true);

        Assert.Equal("a2", (await test.AskOneAsync()).Value);
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public async Task Draining_takes_its_delay(int jump)
    {
        var time = new TestClock();
        using var drain = new Drain(
            Fixed.Options(new HostingOptions { DrainDelay = TimeSpan.FromSeconds(5) }), Fixed.Options(new HostOptions()), new HostingEnvironment(),
            new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), time, NullLogger<Drain>.Instance);
        var stopping = drain.StoppingAsync(Cancel);
        Set(time, jump);
        time.Advance(TimeSpan.FromSeconds(4.9));
        await Quiet.SettleAsync();
        Assert.False(stopping.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(0.1));

        await stopping;
    }

    [Theory]
    [MemberData(nameof(Jumps))]
    public void A_difference_of_prices_is_forgotten_after_a_day(int jump)
    {
        var time = new TestClock();
        var log = new LogRecorder<PriceDrift>();
        var drift = new PriceDrift(time, log);
        var answer = CatalogMerge.Merge(
            Given.Request(),
            [new ProductListing("p", [Given.Component("plan-EUR-m") with { PriceMinor = 1000, BillingPeriod = Given.Period("month", 1) }])],
            new Dictionary<string, UpstreamResult<Gateway.Upstreams.Paymentwall.PaymentwallProduct?>>(StringComparer.Ordinal)
            {
                ["plan-EUR-m"] = Given.Found(Given.Product("9.99", "EUR") with { Period = Given.Period("month", 1) }),
            },
            Given.Rules());
        drift.Observe(Given.Request(), answer);
        Set(time, jump);
        time.Advance(TimeSpan.FromHours(23));
        Assert.Equal(1, drift.Count);

        time.Advance(TimeSpan.FromHours(2));

        Assert.Equal(0, drift.Count);
    }

    private static void Set(TestClock time, int jump) => time.SetWall(TimeSpan.FromSeconds(jump));

    private static string AgeOf(CatalogUnderTest test)
    {
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        var headers = new Gateway.Catalog.Rendering.CatalogHeaders(Fixed.Options(new CatalogOptions()), Fixed.Options(new SecurityOptions()), test.Time);
        headers.Set(context.Response, test.Answers.TryGetCurrent(Given.Request())!, "\"tag\"", Given.Request(), isHit: true);
        return context.Response.Headers.Age.ToString();
    }

    private static UpstreamTransport Transport(TestClock time, FakeUpstream upstream) => new(
        "Billing", new BillingOptions { BaseAddress = new Uri("https://billing.example/") }, upstream, time, NullLogger.Instance);

    private static HttpResponseMessage Throttled(HttpStatusCode status, TimeSpan wait) =>
        new(status) { Content = new StringContent("{}"), Headers = { RetryAfter = new RetryConditionHeaderValue(wait) } };

    private static HttpResponseMessage Throttled(HttpStatusCode status, DateTimeOffset until, DateTimeOffset now) =>
        new(status) { Content = new StringContent("{}"), Headers = { RetryAfter = new RetryConditionHeaderValue(until), Date = now } };

    private static async Task<bool> PermitsAsync(RedisTokenBucketLimiter bucket)
    {
        using var lease = await bucket.AcquireAsync(1, Cancel);
        return lease.IsAcquired;
    }

    private sealed class TokensUnderTest : IDisposable
    {
        public static readonly TimeSpan Life = TimeSpan.FromHours(1);

        private readonly RedisConnection _noRedis;

        public TokensUnderTest()
        {
            var redis = Fixed.Options(new RedisOptions());
            _noRedis = new RedisConnection(redis, Time, NullLogger<RedisConnection>.Instance);
            var store = new AccessTokenStore(
                _noRedis, new RedisLease(_noRedis, redis, Time), Fixed.Options(new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" }), redis, Time);
            Provider = new AccessTokenProvider(Endpoint, store, Time, NullLogger<AccessTokenProvider>.Instance);
        }

        public TestClock Time { get; } = new();

        public FakeTokenEndpoint Endpoint { get; } = new(Life);

        public AccessTokenProvider Provider { get; }

        public void Dispose() => _noRedis.Dispose();
    }
}

/// <summary>
/// What replicas share in Redis has wall times, so a clock that was set, or another one, is noticed: an entry from the future is stale,
/// and nothing lives longer than it would have from now on.
/// </summary>
public sealed class SharedClockJumpTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private readonly string _prefix = RedisFixture.NewPrefix();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Also what another replica wrote whose clock is ahead of ours by a little.</summary>
    [Theory]
    [InlineData(-3, true)]
    [InlineData(3, true)]
    [InlineData(-59, false)]
    [InlineData(59, true)]
    [InlineData(-600, false)]
    [InlineData(600, false)]
    [InlineData(-3 * 3600, false)]
    [InlineData(3 * 3600, false)]
    [InlineData(-2 * 24 * 3600, false)]
    public async Task A_value_from_the_future_or_from_long_ago_is_served_as_stale_and_refreshed(int jump, bool isFresh)
    {
        RedisFixture.SkipWithoutRedis();
        using var writer = await CacheAsync(0, "A-");
        using var reader = await CacheAsync(1, "B-");
        await writer.AskOneAsync();
        await StoredAsync();
        reader.Time.SetWall(TimeSpan.FromSeconds(jump));
        reader.Hold();

        Assert.Equal("A-a1", (await reader.AskOneAsync()).Value);

        await Quiet.UntilAsync(() => isFresh || reader.Loads == 1);
        await Quiet.SettleAsync();
        Assert.Equal(isFresh ? 0 : 1, reader.Loads);
        if (isFresh)
        {
            reader.Time.Advance(reader.Ages.FreshFor);
            await reader.AskOneAsync();
            await Quiet.UntilAsync(() => reader.Loads == 1);
        }

        reader.Release();
        await Quiet.UntilAsync(async () => (await reader.AskOneAsync()).Value == "B-a1");
    }

    /// <summary>The whole fleet's clocks are set forward by more than the window: what lies in Redis is too old, what is in memory is not.</summary>
    [Fact]
    public async Task Two_days_later_what_lies_in_Redis_is_not_used()
    {
        RedisFixture.SkipWithoutRedis();
        using var writer = await CacheAsync(0, "A-");
        using var reader = await CacheAsync(1, "B-");
        await writer.AskOneAsync();
        await StoredAsync();
        foreach (var replica in new[] { writer, reader })
        {
            replica.Time.SetWall(TimeSpan.FromDays(2));
        }

        Assert.Equal("B-a1", (await reader.AskOneAsync()).Value);
        Assert.Equal("A-a1", (await writer.AskOneAsync()).Value);
    }

    [Theory]
    [InlineData(-600)]
    [InlineData(-2 * 24 * 3600)]
    [InlineData(600)]
    public async Task Who_waits_for_another_replica_waits_for_no_longer_than_its_lease_may_live(int jump)
    {
        RedisFixture.SkipWithoutRedis();
        using var writer = await CacheAsync(0, "A-", loadTimeout: TimeSpan.FromMinutes(10));
        using var reader = await CacheAsync(1, "B-");
        writer.Hold();
        var held = writer.AskOneAsync();
        await Quiet.UntilAsync(() => writer.Loads == 1);
        var started = reader.Time.GetTimestamp();
        var waiting = reader.AskOneAsync();
        await reader.Time.PollAsync(3);

        reader.Time.SetWall(TimeSpan.FromSeconds(jump));

        Assert.Equal("B-a1", (await reader.Time.PollUntilAsync(waiting)).Value);
        Assert.InRange(reader.Time.GetElapsedTime(started), CacheUnderTest.LoadTimeout, CacheUnderTest.LoadTimeout + TimeSpan.FromSeconds(2));
        writer.Release();
        await held;
    }

    [Theory]
    [InlineData(-600)]
    [InlineData(-2 * 24 * 3600)]
    public async Task A_token_from_the_future_is_used_and_renewed_at_once(int jump)
    {
        var (endpoint, time, reader) = await ReaderOfAnothersTokenAsync(jump);

        time.Advance(TimeSpan.FromMinutes(3.1));
        await Quiet.UntilAsync(async () => (await reader.GetAsync(Cancel))?.Value == "token-2");
        Assert.Equal(2, endpoint.Requests);
    }

    /// <summary>By its own clock, when it is renewed all the same; never for longer than a token lives.</summary>
    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task A_token_of_a_replica_whose_clock_differs_a_little_is_used_as_it_is(int jump)
    {
        var (endpoint, time, reader) = await ReaderOfAnothersTokenAsync(jump);
        time.Advance(TimeSpan.FromMinutes(47));
        await reader.GetAsync(Cancel);
        await Quiet.SettleAsync();
        Assert.Equal(1, endpoint.Requests);
    }

    /// <summary>The buckets are on Redis's clock; without this nobody would be permitted anything until it has caught up.</summary>
    [Fact]
    public async Task After_Redis_s_clock_was_set_back_an_empty_bucket_fills_all_the_same()
    {
        RedisFixture.SkipWithoutRedis();
        RedisKey key = _prefix + ":limit";
        var tomorrow = (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 86_400).ToString(System.Globalization.CultureInfo.InvariantCulture);
        await redis.AskAsync(async database =>
        {
            await database.HashSetAsync(key, [new("level", "0.000000"), new("at", tomorrow)]);
            return true;
        });
        await using var bucket = new RedisTokenBucketLimiter(
            new RateLimitOptions { PermitsPerSecond = 2, Burst = 1 }, key, redis.Connections[0], TimeProvider.System);

        await Quiet.UntilAsync(async () =>
        {
            using var lease = await bucket.AcquireAsync(1, Cancel);
            return lease.IsAcquired;
        });

        var left = await redis.AskAsync(database => database.KeyTimeToLiveAsync(key));
        Assert.InRange(left!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    private async Task<CacheUnderTest> CacheAsync(int number, string name, TimeSpan? loadTimeout = null)
    {
        var cache = new CacheUnderTest(redis.Connections[number], redis.Options(_prefix), loadTimeout: loadTimeout) { Name = name };
        await cache.Purges.StartAsync(Cancel);
        await Quiet.UntilAsync(() => cache.Purges.IsSynced);
        return cache;
    }

    private Task StoredAsync() => Quiet.UntilAsync(async () =>
        (await redis.KeysAsync($"{_prefix}:v{CacheWire.Version}")).Count == 1 && (await redis.KeysAsync(_prefix + ":lease")).Count == 0);

    /// <summary>A replica whose wall clock differs, and that has read the token that another one obtained.</summary>
    private async Task<(FakeTokenEndpoint Endpoint, TestClock Time, AccessTokenProvider Reader)> ReaderOfAnothersTokenAsync(int jump)
    {
        RedisFixture.SkipWithoutRedis();
        var endpoint = new FakeTokenEndpoint(TimeSpan.FromHours(1));
        await Tokens(0, endpoint, new TestClock()).GetAsync(Cancel);
        var time = new TestClock();
        time.SetWall(TimeSpan.FromSeconds(jump));
        var reader = Tokens(1, endpoint, time);
        Assert.Equal("token-1", (await reader.GetAsync(Cancel))?.Value);
        return (endpoint, time, reader);
    }

    private AccessTokenProvider Tokens(int number, FakeTokenEndpoint endpoint, TestClock time)
    {
        var options = redis.Options(_prefix);
        var store = new AccessTokenStore(
            redis.Connections[number], new RedisLease(redis.Connections[number], options, time),
            Fixed.Options(new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" }), options, time);
        return new AccessTokenProvider(endpoint, store, time, NullLogger<AccessTokenProvider>.Instance);
    }
}
