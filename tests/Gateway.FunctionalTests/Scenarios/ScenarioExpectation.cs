using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>What must come of a step: of its answer or answers, and of what the upstreams and the log saw.</summary>
internal sealed class ScenarioExpectation
{
    private readonly List<Action<ScenarioRun, Answer, TimeSpan>> _ofEach = [];
    private readonly List<Action<ScenarioRun, IReadOnlyList<Answer>>> _ofAll = [];
    private readonly List<Func<ScenarioRun, Task>> _ofTheWorld = [];

    private ScenarioExpectation()
    {
    }

    /// <summary>Of an answer. If neither a status nor a problem is expected, it is 200.</summary>
    public static ScenarioExpectation Read(ScenarioNode? node)
    {
        var expectation = new ScenarioExpectation();
        expectation.ReadStatus(node);
        if (node is null)
        {
            return expectation;
        }

        foreach (var header in node.Find("headers")?.Pairs ?? [])
        {
            var matcher = ScenarioMatcher.Read(header, asText: true);
            expectation._ofEach.Add((run, answer, _) => matcher.Check($"header {header.Key}", answer.Header(header.Key) is { } value ? [JsonValue.Create(value)] : [], run));
        }

        foreach (var value in node.Find("json")?.Pairs ?? [])
        {
            var matcher = ScenarioMatcher.Read(value, asText: false);
            expectation._ofEach.Add((run, answer, _) => matcher.Check(value.Key, JsonPath.Find(answer.Json, run.Fill(value.Key)), run));
        }

        expectation.ReadBody(node);
        if (node.Find("within")?.Duration is { } bound)
        {
            expectation._ofEach.Add((_, _, took) => Assert.True(took <= bound, $"the answer took {took}, not at most {bound}"));
        }

        expectation.ReadCalls(node);
        node.End();
        return expectation;
    }

    /// <summary>Of the upstreams and the log alone.</summary>
    public static ScenarioExpectation ReadWorld(ScenarioNode node)
    {
        var expectation = new ScenarioExpectation();
        expectation.ReadCalls(node);
        node.End();
        return expectation;
    }

    public async Task CheckAsync(ScenarioRun run, IReadOnlyList<(Answer Answer, TimeSpan Took)> answers)
    {
        foreach (var (answer, took) in answers)
        {
            foreach (var check in _ofEach)
            {
                check(run, answer, took);
            }
        }

        foreach (var check in _ofAll)
        {
            check(run, [.. answers.Select(answer => answer.Answer)]);
        }

        await CheckWorldAsync(run);
    }

    public async Task CheckWorldAsync(ScenarioRun run)
    {
        foreach (var check in _ofTheWorld)
        {
            await check(run);
        }
    }

    private void ReadStatus(ScenarioNode? node)
    {
        if (node?.Find("problem") is { } problem)
        {
            var code = problem.Text;
            var wanted = node.Find("status")?.Number;
            _ofEach.Add((_, answer, _) => CheckProblem(answer, code, wanted));
        }
        else if (node?.Find("statuses") is { } statuses)
        {
            var wanted = statuses.Pairs.ToDictionary(pair => pair.Key, pair => pair.Number);
            _ofAll.Add((_, answers) => Assert.Equal(
                Said(wanted),
                Said(answers.CountBy(answer => ((int)answer.Status).ToString(CultureInfo.InvariantCulture)))));
        }
        else
        {
            var allowed = node?.Find("status") is { } status ? status.OneOrMore.Select(one => one.Number).ToList() : [200];
            _ofEach.Add((_, answer, _) => Assert.True(
                allowed.Contains((int)answer.Status), $"the status is {(int)answer.Status}, not {string.Join(" or ", allowed)}"));
        }

        static string Said(IEnumerable<KeyValuePair<string, int>> counts) =>
            string.Join(", ", counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}"));
    }

    /// <summary>The code, and everything that holds for every problem.</summary>
    private static void CheckProblem(Answer answer, string code, int? status)
    {
        Assert.True(answer.Header("Content-Type") == "application/problem+json", $"no problem is answered, but {(int)answer.Status} {answer.Header("Content-Type")}");
        Assert.Equal(code, answer.Code);
        Assert.Equal(status ?? (int)answer.Status, (int)answer.Status);
        Assert.Equal((int)answer.Status, (int)answer.Json["status"]!);
        Assert.Equal("urn:gateway:problem:" + code, (string?)answer.Json["type"]);
        Assert.Matches("^[0-9a-f]{32}$", (string?)answer.Json["traceId"]);
        Assert.Equal("no-store", answer.Header("Cache-Control"));
        Assert.Equal((int)answer.Status is 429 or 503, answer.Header("Retry-After") is not null);
        Assert.DoesNotContain("127.0.0.1:", answer.Body, StringComparison.Ordinal);
    }

    private void ReadBody(ScenarioNode node)
    {
        if (node.Find("body") is { } body)
        {
            if (body.IsWord("empty"))
            {
                _ofEach.Add((_, answer, _) => Assert.Equal(string.Empty, answer.Body));
            }
            else
            {
                var matcher = ScenarioMatcher.Read(body, asText: true);
                _ofEach.Add((run, answer, _) => matcher.Check("the body", [JsonValue.Create(answer.Body)], run));
            }
        }

        if (node.Find("same body as")?.Text is { } same)
        {
            _ofEach.Add((run, answer, _) => Assert.Equal(run.Named(same).Body, answer.Body));
        }

        if (node.Find("another body than")?.Text is { } other)
        {
            _ofEach.Add((run, answer, _) => Assert.NotEqual(run.Named(other).Body, answer.Body));
        }

        if (node.Find("different bodies")?.Number is { } bodies)
        {
            _ofAll.Add((_, answers) => Assert.Equal(bodies, answers.Select(answer => answer.Body).Distinct().Count()));
        }
    }

    private void ReadCalls(ScenarioNode node)
    {
        foreach (var upstream in node.Find("calls")?.Pairs ?? [])
        {
            if (upstream.Key is not ("token" or "billing" or "paymentwall"))
            {
                throw upstream.Error("there are token, billing, paymentwall");
            }

            var counts = upstream.IsMap || upstream.IsList ? upstream.OneOrMore.Select(ReadCount).ToList() : [(Of: string.Empty, Matcher: ScenarioMatcher.Read(upstream, asText: false))];
            foreach (var (part, matcher) in counts)
            {
                _ofTheWorld.Add(async run =>
                {
                    var requests = (await run.ReceivedAsync(upstream.Key)).Where(request => Target(request).Contains(run.Fill(part), StringComparison.Ordinal));
                    matcher.Check($"the number of calls of {upstream.Key} {part}", [requests.Count()], run);
                });
            }
        }

        foreach (var upstream in node.Find("received")?.Pairs ?? [])
        {
            ReadReceived(upstream);
        }

        foreach (var upstream in node.Find("most calls at once")?.Pairs ?? [])
        {
            var matcher = ScenarioMatcher.Read(upstream, asText: false);
            _ofTheWorld.Add(async run => matcher.Check($"calls of {upstream.Key} at once", [await run.Simulator.MostInFlightAsync(upstream.Key)], run));
        }

        if (node.Find("log") is { } log)
        {
            var at = log.Find("at")?.Number ?? 1;
            var matcher = ReadLog(log);
            _ofTheWorld.Add(run =>
            {
                matcher(run, run.LogOf(at));
                return Task.CompletedTask;
            });
            log.End();
        }
    }

    private static Action<ScenarioRun, string> ReadLog(ScenarioNode log)
    {
        var wanted = log.Find("contains")?.OneOrMore.Select(text => text.Text).ToList() ?? [];
        var unwanted = log.Find("contains not")?.OneOrMore.Select(text => text.Text).ToList() ?? [];
        var once = log.Find("once")?.OneOrMore.Select(text => text.Text).ToList() ?? [];
        return (_, text) =>
        {
            foreach (var part in wanted)
            {
                Assert.True(text.Contains(part, StringComparison.Ordinal), $"the log lacks '{part}'");
            }

            foreach (var part in unwanted)
            {
                Assert.False(text.Contains(part, StringComparison.Ordinal), $"the log has '{part}'");
            }

            foreach (var part in once)
            {
                var lines = text.Split('\n').Count(line => line.Contains(part, StringComparison.Ordinal));
                Assert.True(lines == 1, $"{lines} lines of the log have '{part}', not one");
            }
        };
    }

    private static (string Of, ScenarioMatcher Matcher) ReadCount(ScenarioNode node)
    {
        var part = node.Find("of")?.Text ?? string.Empty;
        if (node.Find("count") is { } count)
        {
            node.End();
            return (part, ScenarioMatcher.Read(count, asText: false));
        }

        return (part, ScenarioMatcher.Read(node, asText: false));
    }

    private void ReadReceived(ScenarioNode node)
    {
        var part = node.Find("of")?.Text ?? string.Empty;
        var checks = new List<Action<ScenarioRun, ReceivedRequest>>();
        foreach (var header in node.Find("headers")?.Pairs ?? [])
        {
            var matcher = ScenarioMatcher.Read(header, asText: true);
            checks.Add((run, request) => matcher.Check($"{node.Key} received: header {header.Key}", request.Header(header.Key) is { } value ? [JsonValue.Create(value)] : [], run));
        }

        foreach (var parameter in node.Find("query")?.Pairs ?? [])
        {
            var matcher = ScenarioMatcher.Read(parameter, asText: true);
            checks.Add((run, request) => matcher.Check($"{node.Key} received: {parameter.Key}", request.Query(parameter.Key) is { } value ? [JsonValue.Create(value)] : [], run));
        }

        if (node.Find("target") is { } target)
        {
            var matcher = ScenarioMatcher.Read(target, asText: true);
            checks.Add((run, request) => matcher.Check($"{node.Key} received: the target", [JsonValue.Create(Target(request))], run));
        }

        node.End();
        _ofTheWorld.Add(async run =>
        {
            var requests = (await run.ReceivedAsync(node.Key)).Where(request => Target(request).Contains(run.Fill(part), StringComparison.Ordinal)).ToList();
            Assert.True(requests.Count > 0, $"{node.Key} received nothing");
            foreach (var check in checks)
            {
                requests.ForEach(request => check(run, request));
            }
        });
    }

    private static string Target(ReceivedRequest request) => request.Method + " " + request.Path + "?" + request.RawQuery;
}
