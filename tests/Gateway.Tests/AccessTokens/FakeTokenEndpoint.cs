using System.Globalization;
using Gateway.AccessTokens;

namespace Gateway.Tests.AccessTokens;

/// <summary>A token server that numbers its tokens, and can be held or made to fail.</summary>
/// <param name="life">Of every token.</param>
internal sealed class FakeTokenEndpoint(TimeSpan life) : ITokenEndpoint
{
    private readonly Lock _gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _watchers = [];
    private TaskCompletionSource _open = Opened();
    private int _issued;

    public int Requests { get; private set; }

    public bool Failing { get; set; }

    public bool AlwaysTheSame { get; set; }

    /// <summary>Requests from now on wait until <see cref="Release"/>, or until they are cancelled.</summary>
    public void Hold() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _open.TrySetResult();

    public Task RequestedAsync(int times)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _watchers.Add((times, reached));
            Tell();
            return reached.Task.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public async Task<IssuedToken?> RequestAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Requests++;
            Tell();
        }

        await _open.Task.WaitAsync(cancellationToken);
        if (Failing)
        {
            return null;
        }

        var number = AlwaysTheSame ? 1 : Interlocked.Increment(ref _issued);
        return new IssuedToken("token-" + number.ToString(CultureInfo.InvariantCulture), life);
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private void Tell()
    {
        foreach (var (count, reached) in _watchers)
        {
            if (Requests >= count)
            {
                reached.TrySetResult();
            }
        }
    }
}
