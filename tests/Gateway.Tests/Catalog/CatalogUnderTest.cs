using System.Net;
using System.Text;
using Gateway.AccessTokens;
using Gateway.Caching;
using Gateway.Catalog;
using Gateway.Catalog.Drift;
using Gateway.Catalog.Rendering;
using Gateway.Configuration;
using Gateway.Hosting;
using Gateway.Observability;
using Gateway.Security;
using Gateway.Tests.Configuration;
using Gateway.Tests.Upstreams;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Catalog;

/// <summary>Everything from the finished answers down to where the sockets would be, without Redis and on a manual clock.</summary>
internal sealed class CatalogUnderTest : IDisposable
{
    private readonly ServiceProvider _services;
    private readonly FakeUpstream _billing;
    private readonly FakeUpstream _paymentwall;
    private readonly UpstreamTransport _billingTransport;
    private readonly UpstreamTransport _paymentwallTransport;

    public CatalogUnderTest(TimeSpan? deadline = null)
    {
        _billing = new FakeUpstream(Time, (_, token) => AnswerAsync(Billing, token));
        _paymentwall = new FakeUpstream(Time, (_, token) => AnswerAsync(Paymentwall, token));
        var billing = Fixed.Options(new BillingOptions { BaseAddress = new Uri("https://billing.example/") });
        var paymentwall = Fixed.Options(new PaymentwallOptions
        {
            BaseAddress = new Uri("https://paymentwall.example/"),
            ProjectKey = "key",
            SecretKey = "secret",
        });
        _billingTransport = new UpstreamTransport("Billing", billing.Value, _billing, Time, NullLogger.Instance);
        _paymentwallTransport = new UpstreamTransport("Paymentwall", paymentwall.Value, _paymentwall, Time, NullLogger.Instance);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(Time);
        services.AddFixedOptions(new RedisOptions());
        services.AddFixedOptions(new CatalogOptions());
        services.AddFixedOptions(new CatalogOptions { Deadline = deadline ?? TimeSpan.FromSeconds(5) });
        services.AddFixedOptions(new AccessTokensOptions { ClientId = "id", ClientSecret = "secret" });
        services.AddSingleton(billing);
        services.AddSingleton(paymentwall);
        services.AddSingleton<IMemoryCache>(_ => new MemoryCache(new MemoryCacheOptions { SizeLimit = 1024 * 1024, TrackStatistics = true }));
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisLease>();
        services.AddSingleton<PurgeLog>();
        services.AddSingleton<ITokenEndpoint>(Tokens);
        services.AddSingleton<AccessTokenStore>();
        services.AddSingleton<AccessTokenProvider>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<BillingClient>(provider, _billingTransport));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PaymentwallClient>(provider, _paymentwallTransport));
        services.AddSingleton<CatalogRules>();
        services.AddSingleton<CatalogDataCache>();
        services.AddSingleton<CatalogAggregator>();
        services.AddSingleton<PriceDrift>();
        services.AddSingleton<RenderedCatalogCache>();
        services.AddFixedOptions(new SecurityOptions());
        services.AddSingleton<UpstreamBulkhead>();
        services.AddKeyedSingleton(BillingOptions.Section, _billingTransport);
        services.AddKeyedSingleton(PaymentwallOptions.Section, _paymentwallTransport);
        services.AddSingleton<StateGauges>();
        _services = services.BuildServiceProvider();
        Answers = _services.GetRequiredService<RenderedCatalogCache>();
        Purges = _services.GetRequiredService<PurgeLog>();
    }

    public TestClock Time { get; } = new();

    public RenderedCatalogCache Answers { get; }

    public PurgeLog Purges { get; }

    public StateGauges StateGauges => _services.GetRequiredService<StateGauges>();

    public PriceDrift Drift => _services.GetRequiredService<PriceDrift>();

    public TokenScript Tokens { get; } = new();

    /// <summary>Moves by one with every value that comes and every refresh that fails.</summary>
    public long Version => _services.GetRequiredService<CatalogDataCache>().Version;

    public Script Billing { get; } = new("""{"items":[{"id":"c1","status":"active"},{"id":"c2","status":"active"}]}""");

    public Script Paymentwall { get; } = new("""{"amount":"9.99","currency":"USD"}""");

    public (int Billing, int Paymentwall) Calls => (_billing.Attempts, _paymentwall.Attempts);

    public IEnumerable<string> SkusAskedFor =>
        _paymentwall.Requests.Select(request => QueryHelpers.ParseQuery(request.RequestUri!.Query)["ag_external_id"].ToString());

    /// <summary>An answer that needs no time to pass, got as the endpoint gets it.</summary>
    public Task<CatalogResult> AskAsync(CatalogRequest? request = null) =>
        Answers.TryGetCurrent(request ?? Given.Request()) is { } ready
            ? Task.FromResult(new CatalogResult(ready, Problem: null, IsHit: true, new RequestTimings()))
            : Answers.AggregateAsync(request ?? Given.Request(), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        // Its patience is on the manual clock, which nobody advances any more.
        _ = _services.DisposeAsync().AsTask();
        _billingTransport.Dispose();
        _paymentwallTransport.Dispose();
        _billing.Dispose();
        _paymentwall.Dispose();
    }

    private static async Task<HttpResponseMessage> AnswerAsync(Script script, CancellationToken cancellationToken)
    {
        if (script.Held is { } held)
        {
            await held.Task.WaitAsync(cancellationToken);
        }

        return new HttpResponseMessage(script.Status) { Content = new StringContent(script.Body, Encoding.UTF8, "application/json") };
    }

    /// <summary>What an upstream answers.</summary>
    internal sealed class Script(string body)
    {
        public string Body { get; set; } = body;

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        public TaskCompletionSource? Held { get; private set; }

        public void Hold() => Held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release()
        {
            Held?.TrySetResult();
            Held = null;
        }

        /// <summary>Opens what holds the calls that are in flight now, even if others are held after.</summary>
        public Action ReleaseLater()
        {
            var held = Held;
            return () => held?.TrySetResult();
        }
    }

    /// <summary>What the token endpoint answers.</summary>
    internal sealed class TokenScript : ITokenEndpoint
    {
        private readonly TaskCompletionSource<IssuedToken?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>It never answers.</summary>
        public bool Hangs { get; set; }

        public int Requests { get; private set; }

        public Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken)
        {
            Requests++;
            return Hangs ? _answer.Task : Task.FromResult<IssuedToken?>(new IssuedToken("token", TimeSpan.FromDays(1)));
        }
    }
}
