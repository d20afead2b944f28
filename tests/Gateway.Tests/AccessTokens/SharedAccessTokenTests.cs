using System.Text;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Observability;
using Gateway.Tests.Observability;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.AccessTokens;

/// <summary>Several replicas, each on a clock of its own, with one token server and one real Redis.</summary>
public sealed class SharedAccessTokenTests : IClassFixture<RedisFixture>, IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan LeaseLife = AccessTokenProvider.LoadTimeout + TimeSpan.FromSeconds(1);

    private readonly string _prefix = RedisFixture.NewPrefix();
    private readonly FakeTokenEndpoint _endpoint = new(Life);
    private readonly Replica _a;
    private readonly Replica _b;

    private readonly RedisFixture _redis;

    public SharedAccessTokenTests(RedisFixture redis)
    {
        RedisFixture.SkipWithoutRedis();
        _redis = redis;
        _a = NewReplica(0);
        _b = NewReplica(1);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _endpoint.Release();

    [Fact]
    public async Task What_one_replica_stored_another_reads_whole()
    {
        var now = _a.Time.Monotonic();
        await _a.Store.SetAsync(new AccessToken("x", now, now + Life, followsRejection: true));

        var read = await _b.Store.GetAsync();

        Assert.Equal(("x", now, now + Life, true), (read!.Value, read.ObtainedAt, read.ExpiresAt, read.FollowsRejection));
    }

    [Fact]
    public async Task What_lies_in_Redis_is_encrypted_and_goes_before_the_token_expires()
    {
        var token = (await _a.Provider.GetAsync(Cancel))!;

        var key = Assert.Single(await _redis.KeysAsync(_prefix));
        var (wire, left) = await _redis.AskAsync(async database => ((byte[])(await database.StringGetAsync(key))!, await database.KeyTimeToLiveAsync(key)));

        Assert.StartsWith(_prefix + ":token:", key, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Value, Encoding.UTF8.GetString(wire), StringComparison.Ordinal);
        Assert.InRange(left!.Value, TimeSpan.FromMinutes(50), Life - TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_token_that_is_hardly_usable_any_more_is_not_shared()
    {
        var now = _a.Time.Monotonic();
        await _a.Store.SetAsync(new AccessToken("x", now - Life, now + TimeSpan.FromSeconds(30), followsRejection: false));

        Assert.Empty(await _redis.KeysAsync(_prefix));
    }

    [Theory]
    [InlineData(nameof(AccessTokensOptions.Authority))]
    [InlineData(nameof(AccessTokensOptions.ClientId))]
    [InlineData(nameof(AccessTokensOptions.ClientSecret))]
    [InlineData(nameof(AccessTokensOptions.Audience))]
    [InlineData(nameof(AccessTokensOptions.Scopes))]
    [InlineData(nameof(AccessTokensOptions.EncryptionKey))]
    public async Task Replicas_with_other_credentials_share_nothing_and_do_not_disturb_each_other(string setting)
    {
        var other = NewReplica(2, With(setting));

        var own = await _a.Provider.GetAsync(Cancel);
        var others = await other.Provider.GetAsync(Cancel);

        Assert.NotEqual(own!.Value, others!.Value);
        Assert.Equal(own.Value, (await _b.Provider.GetAsync(Cancel))?.Value);
        Assert.Equal(others.Value, (await other.Store.GetAsync())?.Value);
        Assert.Equal(2, (await _redis.KeysAsync(_prefix)).Count);
    }

    [Fact]
    public async Task Parts_of_the_credentials_cannot_run_into_each_other()
    {
        var first = NewReplica(0, Credentials(id: "a\n1:b", audience: "c"));
        var second = NewReplica(2, Credentials(id: "a", audience: "1:b\nc"));
        await first.Provider.GetAsync(Cancel);

        Assert.Null(await second.Store.GetAsync());
    }

    [Fact]
    public async Task The_order_of_the_scopes_makes_no_other_token()
    {
        var one = NewReplica(0, Credentials(scopes: "openid products a"));
        var other = NewReplica(2, Credentials(scopes: "a products  openid"));

        await one.Provider.GetAsync(Cancel);

        Assert.Equal("token-1", (await other.Provider.GetAsync(Cancel))?.Value);
    }

    [Fact]
    public async Task Changed_credentials_take_effect_at_once_and_changed_back_find_what_they_had()
    {
        var now = _a.Time.Monotonic();
        var before = _a.Options.CurrentValue;
        await _a.Store.SetAsync(new AccessToken("x", now, now + Life, followsRejection: false));

        _a.Options.CurrentValue = With(nameof(AccessTokensOptions.ClientSecret));
        Assert.Null(await _a.Store.GetAsync());
        _a.Options.CurrentValue = before;

        Assert.Equal("x", (await _a.Store.GetAsync())?.Value);
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("null")]
    [InlineData("""{"Token":"","ObtainedAt":"2025-01-02T03:04:05Z","ExpiresAt":"2025-01-02T04:04:05Z","FollowsRejection":false}""")]
    public async Task What_is_no_token_is_not_read_and_the_next_one_takes_its_place(string content)
    {
        await _a.Provider.GetAsync(Cancel);
        var key = Assert.Single(await _redis.KeysAsync(_prefix));
        var wire = new TokenCipher(_a.Options.CurrentValue).Seal(Encoding.UTF8.GetBytes(content), key);
        await _redis.AskAsync(database => database.StringSetAsync(key, wire));

        Assert.Null(await _b.Store.GetAsync());
        Assert.Equal("token-2", (await _b.Provider.GetAsync(Cancel))?.Value);
        Assert.Equal("token-2", (await _a.Store.GetAsync())?.Value);
    }

    [Fact]
    public async Task Of_what_is_far_too_long_for_a_token_only_the_beginning_is_asked_for()
    {
        await _a.Provider.GetAsync(Cancel);
        var key = Assert.Single(await _redis.KeysAsync(_prefix));
        await _redis.AskAsync(database => database.StringSetRangeAsync(key, 10_000_000, "x"));

        var before = await _redis.SentBytesAsync();
        Assert.Null(await _b.Store.GetAsync());
        Assert.InRange(await _redis.SentBytesAsync() - before, AccessTokenStore.MaxBytes, 2 * AccessTokenStore.MaxBytes);
    }

    [Fact]
    public async Task Exactly_the_rejected_token_is_removed()
    {
        var now = _a.Time.Monotonic();
        var token = new AccessToken("x", now, now + Life, followsRejection: false);
        await _a.Store.SetAsync(token);

        await _b.Store.RemoveAsync(new AccessToken("y", now, now + Life, followsRejection: false));
        Assert.NotNull(await _a.Store.GetAsync());
        await _b.Store.RemoveAsync(token);
        Assert.Null(await _a.Store.GetAsync());
    }

    [Fact]
    public async Task A_token_that_another_replica_obtained_is_used_without_a_request()
    {
        using var metrics = new MetricRecorder();
        var first = (await _a.Provider.GetAsync(Cancel))!;
        var adopted = (await _b.Provider.GetAsync(Cancel))!;

        Assert.Equal(first.Value, adopted.Value);
        Assert.Equal((TimeSpan.Zero, Life), _b.Provider.TokenAge);
        Assert.Equal((first.ObtainedAt, first.ExpiresAt), (adopted.ObtainedAt, adopted.ExpiresAt));
        Assert.Equal(1, _endpoint.Requests);
        Assert.Equal([1], metrics.Of("gateway.token.renewals", "result=obtained"));
        Assert.Equal([1], metrics.Of("gateway.token.renewals", "result=adopted"));
    }

    [Fact]
    public async Task Of_two_replicas_that_need_a_token_at_once_one_asks_and_the_other_waits_for_what_it_finds()
    {
        using var metrics = new MetricRecorder();
        _endpoint.Hold();
        var first = _a.Provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);
        var second = _b.Provider.GetAsync(Cancel).AsTask();
        await _b.Time.PollAsync(3);
        Assert.Equal(1, _endpoint.Requests);

        _endpoint.Release();
        await first;

        Assert.Equal("token-1", (await _b.Time.PollUntilAsync(second))?.Value);
        Assert.Equal(1, _endpoint.Requests);
        Assert.InRange(Assert.Single(metrics.Of("gateway.lease.wait.duration", "kind=token")), 0.15, 5);
        Assert.Single(await _redis.KeysAsync(_prefix));
    }

    [Fact]
    public async Task A_replica_whose_request_failed_lets_the_next_one_ask_at_once()
    {
        _endpoint.Failing = true;
        _endpoint.Hold();
        var first = _a.Provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);
        var second = _b.Provider.GetAsync(Cancel).AsTask();
        await _b.Time.PollAsync(1);
        _endpoint.Release();
        Assert.Null(await first);
        _endpoint.Failing = false;

        Assert.Equal("token-1", (await _b.Time.PollUntilAsync(second))?.Value);
        Assert.InRange(_b.Elapsed, TimeSpan.Zero, LeaseLife - TimeSpan.FromSeconds(1));
        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_replica_that_keeps_its_lease_and_finds_nothing_is_waited_for_no_longer_than_the_lease_would_live()
    {
        // Longer than this test, in real time: only the waiting one's own patience can end it.
        Assert.NotNull((await _a.Lease.TryTakeAsync(_a.Store.LeaseName, TimeSpan.FromMinutes(10))).Token);

        Assert.Equal("token-1", (await _b.Time.PollUntilAsync(_b.Provider.GetAsync(Cancel).AsTask()))?.Value);

        Assert.Equal(LeaseLife, _b.Elapsed);
    }

    [Fact]
    public async Task A_lease_lives_a_little_longer_than_the_request_it_covers()
    {
        _endpoint.Hold();
        var call = _a.Provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);

        var key = Assert.Single(await _redis.KeysAsync(_prefix));
        var left = await _redis.AskAsync(database => database.KeyTimeToLiveAsync(key));
        Assert.InRange(left!.Value, TimeSpan.FromSeconds(1), LeaseLife);
        Assert.True(await _b.Lease.IsHeldAsync(_b.Store.LeaseName));

        _endpoint.Release();
        await call;
        await Quiet.UntilAsync(async () => !await _b.Lease.IsHeldAsync(_b.Store.LeaseName));
    }

    [Fact]
    public async Task Near_its_end_one_replica_renews_the_token_and_the_others_take_the_new_one_over()
    {
        await _a.Provider.GetAsync(Cancel);
        await _b.Provider.GetAsync(Cancel);
        _a.Time.Advance(Life * 0.86);
        _b.Time.Advance(Life * 0.86);

        Assert.Equal("token-1", (await _a.Provider.GetAsync(Cancel))?.Value);
        await Quiet.UntilAsync(async () => (await _b.Store.GetAsync())?.Value == "token-2");
        Assert.Equal("token-1", (await _b.Provider.GetAsync(Cancel))?.Value);
        await Quiet.UntilAsync(async () => (await _b.Provider.GetAsync(Cancel))?.Value == "token-2");

        Assert.Equal(2, _endpoint.Requests);
    }

    [Fact]
    public async Task A_shared_token_near_its_end_is_still_good_for_a_replica_that_has_none()
    {
        await _a.Provider.GetAsync(Cancel);
        _b.Time.Advance(Life * 0.86);

        Assert.Equal("token-1", (await _b.Provider.GetAsync(Cancel))?.Value);
    }

    [Fact]
    public async Task A_shared_token_that_is_no_longer_usable_is_not_taken_over()
    {
        await _a.Provider.GetAsync(Cancel);
        _b.Time.Advance(Life - TimeSpan.FromSeconds(30));

        Assert.Equal("token-2", (await _b.Provider.GetAsync(Cancel))?.Value);
    }

    [Fact]
    public async Task A_rejected_token_is_taken_out_of_Redis_and_every_replica_gets_the_one_that_replaces_it()
    {
        using var metrics = new MetricRecorder();
        var rejected = (await _a.Provider.GetAsync(Cancel))!;
        var rejectedToo = (await _b.Provider.GetAsync(Cancel))!;
        _endpoint.Hold();
        var renewal = _a.Provider.RenewRejectedAsync(rejected, Cancel).AsTask();
        await _endpoint.RequestedAsync(2);
        Assert.Null(await _b.Store.GetAsync());
        _endpoint.Release();
        Assert.Equal("token-2", (await renewal)?.Value);

        var theirs = (await _b.Provider.RenewRejectedAsync(rejectedToo, Cancel))!;
        Assert.Equal("token-2", theirs.Value);
        Assert.True(theirs.FollowsRejection);
        Assert.Equal("token-2", (await _b.Provider.GetAsync(Cancel))?.Value);
        Assert.Equal(2, _endpoint.Requests);
        Assert.Equal([1], metrics.Of("gateway.token.renewals", "result=rejected"));
    }

    [Fact]
    public async Task A_replica_that_stops_gives_its_lease_back_and_asks_no_more()
    {
        _endpoint.Hold();
        var call = _a.Provider.GetAsync(Cancel).AsTask();
        await _endpoint.RequestedAsync(1);

        await _a.Provider.DisposeAsync();

        Assert.Null(await call);
        Assert.False(await _b.Lease.IsHeldAsync(_b.Store.LeaseName));
        Assert.Null(await _a.Provider.GetAsync(Cancel));
        Assert.Equal(1, _endpoint.Requests);
    }

    [Fact]
    public async Task A_stop_ends_the_wait_for_another_replica_at_once()
    {
        await _b.Lease.TryTakeAsync(_b.Store.LeaseName, TimeSpan.FromMinutes(10));
        var call = _a.Provider.GetAsync(Cancel).AsTask();
        await Quiet.UntilAsync(() => _a.Time.PendingTimers == 1);

        await _a.Provider.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancel);

        Assert.Null(await call);
        Assert.Equal((0, TimeSpan.Zero), (_endpoint.Requests, _a.Elapsed));
        Assert.True(await _b.Lease.IsHeldAsync(_b.Store.LeaseName));
    }

    private static AccessTokensOptions Credentials(string id = "id", string audience = "audience", string scopes = "openid") =>
        new() { ClientId = id, ClientSecret = "secret", Audience = audience, Scopes = scopes };

    private static AccessTokensOptions With(string setting)
    {
        var options = Credentials();
        switch (setting)
        {
            case nameof(AccessTokensOptions.Authority): options.Authority = new Uri("https://other.example/"); break;
            case nameof(AccessTokensOptions.ClientId): options.ClientId = "other"; break;
            case nameof(AccessTokensOptions.ClientSecret): options.ClientSecret = "other"; break;
            case nameof(AccessTokensOptions.Audience): options.Audience = "other"; break;
            case nameof(AccessTokensOptions.Scopes): options.Scopes = "other"; break;
            default: options.EncryptionKey = Convert.ToBase64String(new byte[32]); break;
        }

        return options;
    }

    private Replica NewReplica(int number, AccessTokensOptions? credentials = null) =>
        new(_redis.Connections[number], _redis.Options(_prefix), credentials ?? Credentials(), _endpoint);

    private sealed class Replica
    {
        private readonly DateTimeOffset _start;

        public Replica(RedisConnection redis, IOptions<RedisOptions> redisOptions, AccessTokensOptions credentials, ITokenEndpoint endpoint)
        {
            Options = new Changeable { CurrentValue = credentials };
            Store = new AccessTokenStore(redis, Lease = new RedisLease(redis, redisOptions, Time), Options, redisOptions, Time);
            Provider = new AccessTokenProvider(endpoint, Store, Time, NullLogger<AccessTokenProvider>.Instance);
            _start = Time.GetUtcNow();
        }

        public TestClock Time { get; } = new();

        public Changeable Options { get; }

        public RedisLease Lease { get; }

        public AccessTokenStore Store { get; }

        public AccessTokenProvider Provider { get; }

        public TimeSpan Elapsed => Time.GetUtcNow() - _start;
    }

    private sealed class Changeable : IOptionsMonitor<AccessTokensOptions>
    {
        public AccessTokensOptions CurrentValue { get; set; } = null!;

        public AccessTokensOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<AccessTokensOptions, string?> listener) => null;
    }
}
