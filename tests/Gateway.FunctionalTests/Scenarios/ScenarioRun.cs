using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>A scenario while it is played: who plays, and what was answered so far.</summary>
internal sealed partial class ScenarioRun(Scenario scenario, ScenarioCast cast, SimulatorProcess simulator) : IDisposable
{
    private readonly Dictionary<string, Answer> _named = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (ScenarioRequest Request, Task<Played[]> Answers, CancellationTokenSource Leaving)> _background = new(StringComparer.Ordinal);
    private readonly int[] _logStarts = [.. cast.Gateways.Select(gateway => scenario.IsFresh ? 0 : gateway.Log.Length)];
    private Answer? _last;

    public SimulatorProcess Simulator => simulator;

    public RedisServer OwnRedis => cast.Redis!;

    public GatewayProcess Gateway(int number) => cast.Gateways[number - 1];

    public Answer Named(string name) => _named.TryGetValue(name, out var answer) ? answer : throw new FormatException($"No answer is called '{name}'.");

    /// <summary>What a gateway has logged since the scenario began.</summary>
    public string LogOf(int number) => Gateway(number).Log[_logStarts[number - 1]..];

    /// <summary><c>${first.ETag}</c> is a header of the answer called first, <c>${a x 9000}</c> so many times a.</summary>
    public string Fill(string text) => Placeholder().Replace(Repetition().Replace(text, Repeat), match =>
        Named(match.Groups["name"].Value).Header(match.Groups["header"].Value) ?? throw new FormatException($"{match.Value}: there is no such header."));

    public Task<IReadOnlyList<ReceivedRequest>> ReceivedAsync(string upstream) => upstream == "token"
        ? TokenRequestsAsync()
        : simulator.ReceivedAsync(upstream);

    public async Task PlayAsync()
    {
        foreach (var step in scenario.Given.Concat(scenario.Steps))
        {
            try
            {
                await step.RunAsync(this);
            }
            catch (Exception exception) when (exception is not OperationCanceledException and not Xunit.Sdk.SkipException)
            {
                var log = string.Join('\n', LogOf(1).Split('\n').TakeLast(15));
                Assert.Fail($"{step.Where}: {exception.Message}\nPromise: {scenario.Promise}\nLast answer: {Shown(_last)}\nLog: {log}");
            }
        }

        LeakScanner.AssertNone(string.Concat(Enumerable.Range(1, cast.Gateways.Count).Select(LogOf)));
    }

    public async Task AskAsync(ScenarioRequest request)
    {
        if (request.Background is { } name)
        {
            // Leaving is the test's own doing: it ends with the scenario.
            var leaving = new CancellationTokenSource();
            _background.Add(name, (request, PlayAsync(request, leaving.Token), leaving));
        }
        else if (request.Until is { } patience)
        {
            await UntilAsync(patience, OnceAsync);
        }
        else
        {
            await OnceAsync();
        }

        async Task OnceAsync()
        {
            var answers = await PlayAsync(request, CancellationToken.None);
            await JudgeAsync(request, answers, request.Expected);
        }
    }

    public async Task FinishAsync(string name, ScenarioExpectation expected)
    {
        var (request, answers, _) = _background[name];
        await JudgeAsync(request, await answers, expected);
    }

    public async Task LeaveAsync(string name)
    {
        await _background[name].Leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _background[name].Answers);
    }

    public async Task RestartAsync(int number)
    {
        await cast.RestartAsync(number);
        _logStarts[number - 1] = 0;
    }

    public static async Task UntilAsync(TimeSpan patience, Func<Task> isSo)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await isSo();
                return;
            }
            catch (Xunit.Sdk.XunitException exception)
            {
                if (TimeProvider.System.GetElapsedTime(started) > patience)
                {
                    throw new InvalidOperationException($"within {patience} it did not become so: {exception.Message}", exception);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    public void Dispose()
    {
        foreach (var (_, _, leaving) in _background.Values)
        {
            leaving.Cancel();
            leaving.Dispose();
        }
    }

    private async Task JudgeAsync(ScenarioRequest request, IReadOnlyList<Played> answers, ScenarioExpectation expected)
    {
        _last = answers[^1].Answer;
        if (request.As is { } name)
        {
            _named[name] = _last;
        }

        try
        {
            await expected.CheckAsync(this, [.. answers.Select(played => (played.Answer, played.Took))]);
        }
        catch (Xunit.Sdk.XunitException exception)
        {
            Assert.Fail($"{request.Said}: {exception.Message}");
        }
    }

    private async Task<Played[]> PlayAsync(ScenarioRequest request, CancellationToken leaving)
    {
        var gateways = request.At == 0 ? cast.Gateways : [Gateway(request.At)];
        var all = new List<Played>();
        for (var turn = 0; turn < request.Times; turn++)
        {
            var first = turn * request.AtOnce;
            all.AddRange(await Task.WhenAll(gateways.SelectMany(gateway => Enumerable.Range(first, request.AtOnce).Select(number => OneAsync(gateway, number)))));
        }

        return [.. all];

        async Task<Played> OneAsync(GatewayProcess gateway, int number)
        {
            using var message = request.Message(this, gateway.Address, number);
            var started = TimeProvider.System.GetTimestamp();
            var answer = await gateway.SendAsync(message, leaving);
            return new Played(answer, TimeProvider.System.GetElapsedTime(started));
        }
    }

    /// <summary>Discovery is no token request.</summary>
    private async Task<IReadOnlyList<ReceivedRequest>> TokenRequestsAsync() =>
        [.. (await simulator.ReceivedAsync("authorization")).Where(request => request.Method == "POST")];

    private static string Repeat(Match match) =>
        new(match.Groups["character"].Value[0], int.Parse(match.Groups["times"].Value, CultureInfo.InvariantCulture));

    private static string Shown(Answer? answer) => answer is null
        ? "none"
        : $"{(int)answer.Status} {string.Join("; ", answer.Headers.Select(header => $"{header.Key}: {header.Value}"))}\n{(answer.Body.Length > 2_000 ? answer.Body[..2_000] + "..." : answer.Body)}";

    [GeneratedRegex(@"\$\{(?<character>.) x (?<times>\d+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Repetition();

    [GeneratedRegex(@"\$\{(?<name>[a-zA-Z]+)\.(?<header>[A-Za-z-]+)\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();

    private sealed record Played(Answer Answer, TimeSpan Took);
}
