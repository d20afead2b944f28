namespace Gateway.Tests.Upstreams;

/// <summary>Stands where the sockets would be: answers by a script and writes down when it was asked what.</summary>
internal sealed class FakeUpstream(TimeProvider time, Func<int, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly List<(DateTimeOffset At, HttpRequestMessage Request)> _attempts = [];

    public FakeUpstream(TimeProvider time, Func<int, HttpResponseMessage> answer)
        : this(time, (attempt, _) => Task.FromResult(answer(attempt)))
    {
    }

    public int Attempts
    {
        get
        {
            lock (_gate)
            {
                return _attempts.Count;
            }
        }
    }

    public IReadOnlyList<HttpRequestMessage> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _attempts.Select(attempt => attempt.Request)];
            }
        }
    }

    /// <summary>Between an attempt and the one before.</summary>
    public TimeSpan Gap(int attempt)
    {
        lock (_gate)
        {
            return _attempts[attempt].At - _attempts[attempt - 1].At;
        }
    }

    /// <summary>Never answers; ends with the attempt's token.</summary>
    public static async Task<HttpResponseMessage> HangAsync(CancellationToken cancellationToken, Action? onCancelled = null)
    {
        var never = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(() =>
        {
            onCancelled?.Invoke();
            never.TrySetCanceled(cancellationToken);
        });
        return await never.Task;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int attempt;
        lock (_gate)
        {
            attempt = _attempts.Count;
            _attempts.Add((time.GetUtcNow(), request));
        }

        return answer(attempt, cancellationToken);
    }
}
