using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Gateway.Egress;
using Gateway.Observability;
using Gateway.Problems;
using Microsoft.Net.Http.Headers;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Gateway.Upstreams;

/// <summary>
/// Sends idempotent requests to one upstream, with everything that makes a call over a network bearable. In order, from outside:
/// (1) total time-out, (2) jittered retry within a budget, (3) circuit breaker, (4) attempt time-out, (5) one HTTP exchange with a
/// bounded body. Exceptions of the network end here and become failures; only the caller's own cancellation passes through.
/// </summary>
internal sealed partial class UpstreamTransport : IDisposable
{
    private const int MaxRetries = 2;

    /// <summary>A longer Retry-After is not waited for: the caller would rather know now.</summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly HttpMessageInvoker _client;
    private readonly Uri _root;
    private readonly int _maxResponseBytes;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RetryBudget _budget = new();
    private readonly ResiliencePipeline<UpstreamResponse> _pipeline;
    private readonly CircuitBreakerStateProvider _circuit = new();
    private readonly string _phase;

    public UpstreamTransport(string name, UpstreamOptions options, HttpMessageHandler handler, TimeProvider time, ILogger logger)
    {
        _name = name;
        _phase = name.ToLowerInvariant();
        _time = time;
        _logger = logger;
        Health = new DependencyHealth(_phase, time, logger);
        _root = options.Root;
        _maxResponseBytes = options.MaxResponseBytes;

        // No HttpClient: its time-out, buffer and default headers would be another layer around what is done here anyway.
        _client = new HttpMessageInvoker(handler);
        _pipeline = BuildPipeline(options);
    }

    public DependencyHealth Health { get; }

    /// <summary>Polly's own word: closed, open, half open, isolated.</summary>
    public CircuitState Circuit => _circuit.CircuitState;

    /// <summary>What opened the circuit; null while it is closed.</summary>
    public UpstreamFailure? CircuitCause { get; private set; }

    /// <summary>The handler that upstream calls share: no redirects, connections renewed so that DNS changes are followed.</summary>
    /// <param name="egress">The way out.</param>
    /// <param name="traces">What third parties are told of the trace.</param>
    public static HttpMessageHandler CreateHandler(EgressProxy egress, DistributedContextPropagator? traces = null)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(2),
            ActivityHeadersPropagator = traces,
        };
        egress.ApplyTo(handler);
        return egress.Around(handler);
    }

    /// <param name="path">Of the GET request, with its query, encoded, relative to the base address.</param>
    /// <param name="headers">Beside those that every request has.</param>
    /// <param name="waits">Where is noted how long it was waited for.</param>
    /// <param name="cancellationToken">
    /// The deadline of the load that needs the answer; its cancellation is thrown. Loads are shared, so no client that leaves ever
    /// cancels one: to the breaker a cancelled attempt is one that did not answer in time.
    /// </param>
    public async Task<UpstreamResult<UpstreamResponse>> SendAsync(
        string path, IReadOnlyList<KeyValuePair<string, string>> headers, RequestTimings waits, CancellationToken cancellationToken)
    {
        _budget.Earn();
        using var span = Metrics.Traces.StartActivity(_phase);
        var wait = waits.Open(_phase, _time.GetTimestamp());
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            var outcome = await _pipeline.ExecuteOutcomeAsync(
                static (context, call) => call.Self.ExchangeAsync(call.Address, call.headers, context.CancellationToken),
                context,
                (Self: this, Address: new Uri(_root.AbsoluteUri + path), headers));
            outcome.ThrowIfException();
            var response = outcome.Result!;
            if (response is { Failure: { } failure, Status: not HttpStatusCode.NotFound })
            {
                // Where there is no such thing, that is an answer.
                Health.LastCause = ((int)response.Status).ToString(CultureInfo.InvariantCulture);
                Mark(failure);
            }

            return UpstreamResult.Of(response);
        }
        catch (TimeoutRejectedException)
        {
            return Failed(UpstreamFailure.Timeout, "time-out");
        }
        catch (BrokenCircuitException)
        {
            Mark(UpstreamFailure.CircuitOpen);
            return UpstreamResult.Failed<UpstreamResponse>(UpstreamFailure.CircuitOpen);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return Failed(UpstreamFailure.BadPayload, "answer too large");
        }
        catch (HttpRequestException exception)
        {
            return Failed(UpstreamFailure.Unreachable, FailureCause.Of(exception)!);
        }
        catch (InvalidDataException)
        {
            return Failed(UpstreamFailure.BadPayload, "undecodable content encoding");
        }
        catch (IOException)
        {
            return Failed(UpstreamFailure.Unreachable, "connection lost");
        }
        catch (OperationCanceledException)
        {
            Mark(UpstreamFailure.Timeout);
            throw;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
            wait.Close(_time.GetTimestamp());
        }
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Never throws: what went wrong is the outcome's.</summary>
    private async ValueTask<Outcome<UpstreamResponse>> ExchangeAsync(
        Uri address, IReadOnlyList<KeyValuePair<string, string>> headers, CancellationToken cancellationToken)
    {
        try
        {
            using var request = CreateRequest(address, headers);
            using var response = await _client.SendAsync(request, cancellationToken);
            await response.Content.LoadIntoBufferAsync(_maxResponseBytes, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return Outcome.FromResult(new UpstreamResponse(response.StatusCode, body, RetryAfter(response.Headers)));
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            // The handler's ConnectTimeout looks like a cancellation that nobody asked for.
            return Outcome.FromException<UpstreamResponse>(new HttpRequestException(HttpRequestError.ConnectionError, "No connection in time.", exception));
        }
        catch (HttpRequestException exception) when (cancellationToken.IsCancellationRequested)
        {
            return Outcome.FromException<UpstreamResponse>(new OperationCanceledException(exception.Message, exception, cancellationToken));
        }
        catch (InvalidOperationException exception)
        {
            // What the brotli decoder throws for a garbled body.
            return Outcome.FromException<UpstreamResponse>(new InvalidDataException("Undecodable content encoding.", exception));
        }
        catch (Exception exception)
        {
            return Outcome.FromException<UpstreamResponse>(exception);
        }
    }

    private static HttpRequestMessage CreateRequest(Uri address, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        // HTTP/1.1, the default: a connection that died quietly costs the call that is on it, and not all of them.
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation(HeaderNames.UserAgent, "aggregation-gateway/1");
        request.Headers.TryAddWithoutValidation(HeaderNames.Accept, "application/json");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>A date is reckoned from the server's own, where it says that: its clock may be another than ours.</summary>
    private TimeSpan? RetryAfter(HttpResponseHeaders headers)
    {
        var header = headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - (headers.Date ?? _time.GetUtcNow()));
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private ResiliencePipeline<UpstreamResponse> BuildPipeline(UpstreamOptions options)
    {
        var transient = new PredicateBuilder<UpstreamResponse>()
            .Handle<HttpRequestException>(e => e.HttpRequestError != HttpRequestError.ConfigurationLimitExceeded)
            .Handle<IOException>()
            .Handle<TimeoutRejectedException>()
            .HandleResult(response => (int)response.Status >= 500);
        var isTransient = transient.Build();
        var isFailure = transient.Handle<OperationCanceledException>().Build();

        return new ResiliencePipelineBuilder<UpstreamResponse> { TimeProvider = new MonotonicTimeProvider(_time) }
            .AddTimeout(options.EffectiveTimeout)
            .AddRetry(new RetryStrategyOptions<UpstreamResponse>
            {
                MaxRetryAttempts = MaxRetries,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(100),
                UseJitter = true,
                ShouldHandle = args =>
                {
                    var response = args.Outcome.Result;
                    var worthIt = isTransient(args.Outcome)
                        || (response is { Status: HttpStatusCode.TooManyRequests, RetryAfter: not null });
                    return ValueTask.FromResult(
                        worthIt && !(response?.RetryAfter > LongestRetryAfter) && args.AttemptNumber < MaxRetries && _budget.TrySpend());
                },
                DelayGenerator = static args => ValueTask.FromResult(args.Outcome.Result?.RetryAfter),
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<UpstreamResponse>
            {
                FailureRatio = 0.5,
                MinimumThroughput = 100,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = args => ValueTask.FromResult(isFailure(args.Outcome)),
                StateProvider = _circuit,
                OnOpened = opened =>
                {
                    var cause = CauseOf(opened.Outcome);
                    (CircuitCause, Health.CircuitOpenedBy) = (cause, cause.Name());
                    Log.CircuitOpened(_logger, _name, cause);
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    (CircuitCause, Health.CircuitOpenedBy) = (null, null);
                    Log.CircuitClosed(_logger, _name);
                    return ValueTask.CompletedTask;
                },
            })
            .AddTimeout(options.EffectiveAttemptTimeout)
            .Build();
    }

    /// <summary>Of what counts as a failure of the circuit.</summary>
    private static UpstreamFailure CauseOf(Outcome<UpstreamResponse> outcome) => outcome.Exception switch
    {
        null => UpstreamFailure.Rejected,
        TimeoutRejectedException or OperationCanceledException => UpstreamFailure.Timeout,
        _ => UpstreamFailure.Unreachable,
    };

    private UpstreamResult<UpstreamResponse> Failed(UpstreamFailure failure, string reason)
    {
        Health.LastCause = reason;
        Mark(failure);
        Log.CallFailed(_logger, Health.FailureLevel, _name, failure, reason);
        return UpstreamResult.Failed<UpstreamResponse>(failure);
    }

    /// <summary>On the call's own span; without a listener the current one is the server's.</summary>
    private static void Mark(UpstreamFailure failure)
    {
        if (Activity.Current is { } span && span.Source == Metrics.Traces)
        {
            span.SetStatus(ActivityStatusCode.Error).SetTag("error.type", failure.Name());
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1001, Message = "{Upstream} gave no answer: {Failure} ({Reason})")]
        public static partial void CallFailed(ILogger logger, LogLevel level, string upstream, UpstreamFailure failure, string reason);

        [LoggerMessage(1002, LogLevel.Warning, "{Upstream} keeps failing, the last time with {Failure}: its circuit is open and it is left alone for 5 s")]
        public static partial void CircuitOpened(ILogger logger, string upstream, UpstreamFailure failure);

        [LoggerMessage(1003, LogLevel.Information, "{Upstream} answers again: its circuit is closed")]
        public static partial void CircuitClosed(ILogger logger, string upstream);
    }
}
