using System.Collections.Concurrent;
using System.Net;

namespace Gateway.FunctionalTests.Stack;

/// <summary>Questions that nobody has asked before, of all replicas, until it is stopped.</summary>
internal sealed class FreshLoad : IAsyncDisposable
{
    private const int Products = 50;

    /// <summary>What no answer may take: <c>Catalog:Deadline</c> is 5 s. How long they take is in what is written at the end.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(6);

    private static readonly string[] Languages = (
        "aa ab af ak am an ar as av ay az ba be bg bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi "
        + "ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv").Split(' ');

    private static int _languages;

    private readonly Fleet _fleet;
    private readonly ConcurrentQueue<(Answer Answer, TimeSpan Begun, TimeSpan Took)> _answers = new();
    private readonly long _started = TimeProvider.System.GetTimestamp();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _asking;

    private FreshLoad(Fleet fleet)
    {
        _fleet = fleet;
        _asking = Task.WhenAll(Enumerable.Range(0, 4).Select(AskAsync));
    }

    /// <summary>Begins once every replica has answered: how long the first answer of a new process takes on a busy machine is not what is tested.</summary>
    public static async Task<FreshLoad> StartAsync(Fleet fleet)
    {
        await Task.WhenAll(fleet.Replicas.Select(replica => replica.CompleteAsync("/catalog?product=bulk_000&prices=skip")));
        return new FreshLoad(fleet);
    }

    public static string NextLanguage() => Languages[(Interlocked.Increment(ref _languages) & int.MaxValue) % Languages.Length];

    public Task AnswersAsync(int more)
    {
        var wanted = _answers.Count + more;
        return GatewayProcess.EventuallyAsync(() => Task.FromResult(_answers.Count >= wanted || _asking.IsFaulted), TimeSpan.FromSeconds(60));
    }

    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _asking;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_answers.Count} answers, {_answers.Count(one => one.Answer.Status != HttpStatusCode.OK)} failed, longest {_answers.Max(one => one.Took).TotalMilliseconds:0} ms");
        Assert.Empty(_answers
            .Where(one => one.Answer.Status != HttpStatusCode.OK || !(bool)one.Answer.Json["completeness"]!["complete"]!)
            .Select(one => FormattableString.Invariant($"{one.Begun.TotalSeconds:0.0} s + {one.Took.TotalSeconds:0.0} s: {one.Answer.Body}")).Take(2));
        Assert.InRange(_answers.Max(one => one.Took), TimeSpan.Zero, Longest);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task AskAsync(int lane)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var language = NextLanguage();
            for (var product = 0; product < Products && !_stopping.IsCancellationRequested; product++)
            {
                var started = TimeProvider.System.GetTimestamp();
                var answer = await _fleet.Replicas[(lane + product) % _fleet.Replicas.Count].GetAsync($"/catalog?product=bulk_{product:000}&lang={language}&prices=skip");
                _answers.Enqueue((answer, TimeProvider.System.GetElapsedTime(_started, started), TimeProvider.System.GetElapsedTime(started)));
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
            }
        }
    }
}
