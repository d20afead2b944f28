using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>One step of a story: a request, a change of the world around the gateway, or a wait.</summary>
/// <param name="Where">File and line.</param>
/// <param name="Breaks">What a scenario must own to do this to it: <c>redis</c>, <c>gateway</c>.</param>
/// <param name="RunAsync">Does it.</param>
internal sealed record ScenarioStep(string Where, string? Breaks, Func<ScenarioRun, Task> RunAsync)
{
    private const int Stop = 19;
    private const int Continue = 18;

    private static readonly string[] Upstreams = ["authorization", "billing", "paymentwall"];

    /// <summary>One element of <c>steps</c>, which an <c>each</c> makes many.</summary>
    public static IEnumerable<ScenarioStep> Read(ScenarioNode node)
    {
        if (node.Find("each") is not { } each)
        {
            return [ReadOne(node)];
        }

        var rows = each.List.ToList();
        var inner = node.Get("do");
        node.End();
        return [.. rows.SelectMany(row => inner.WithRow(row).List.SelectMany(Read).Select(step => step with { Where = $"{step.Where} (row {row.Where})" }))];
    }

    /// <summary>What is said of the simulator: <c>components</c>, <c>prices</c>, <c>tokens</c>, <c>faults</c>, in this order.</summary>
    public static IReadOnlyList<ScenarioStep> ReadWorld(ScenarioNode node)
    {
        var steps = new List<ScenarioStep>();
        foreach (var product in node.Find("components")?.Pairs ?? [])
        {
            var body = product.IsList ? Listing(product).ToJsonString() : product.Text;
            Add(run => run.Simulator.ComponentsAsync(product.Key, run.Fill(body)));
        }

        foreach (var sku in node.Find("prices")?.Pairs ?? [])
        {
            var body = sku.IsWord("not sold") ? "[]" : sku.IsMap ? sku.Json()!.ToJsonString() : sku.Text;
            Add(run => run.Simulator.PriceAsync(sku.Key, body));
        }

        if (node.Find("tokens")?.Json() is { } tokens)
        {
            Add(run => run.Simulator.TokenSettingsAsync(tokens));
        }

        if (node.Find("faults") is { } faults)
        {
            if (faults.IsWord("none"))
            {
                Add(run => run.Simulator.ClearFaultsAsync());
            }
            else
            {
                foreach (var upstream in faults.Pairs)
                {
                    if (!Upstreams.Contains(upstream.Key))
                    {
                        throw upstream.Error($"there are {string.Join(", ", Upstreams)}");
                    }

                    var fault = upstream.IsWord("none") ? new JsonArray() : upstream.Json()!;
                    Add(run => run.Simulator.FaultAsync(upstream.Key, fault));
                }
            }
        }

        node.End();
        return steps;

        void Add(Func<ScenarioRun, Task> act) => steps.Add(new ScenarioStep(node.Where, Breaks: null, act));
    }

    private static JsonObject Listing(ScenarioNode items)
    {
        var list = (JsonArray)items.Json()!;
        return new JsonObject { ["items"] = list, ["total"] = list.Count };
    }

    private static ScenarioStep ReadOne(ScenarioNode node)
    {
        node.Find("why");
        string[] verbs = ["request", "finish", "leave", "set", "purge", "wait", "await", "forget", "revoke", "redis", "gateway", "check config", "expect"];
        if (ScenarioRequest.Find(node) is { } request)
        {
            return Step(run => run.AskAsync(request));
        }

        switch (Array.Find(verbs, verb => node.Find(verb) is not null))
        {
            case "finish":
                var name = node.Get("finish").Text;
                var expected = ScenarioExpectation.Read(node.Find("expect"));
                return Step(run => run.FinishAsync(name, expected));
            case "leave":
                var left = node.Get("leave").Text;
                return Step(run => run.LeaveAsync(left));
            case "set":
                var changes = ReadWorld(node.Get("set"));
                return Step(async run =>
                {
                    foreach (var change in changes)
                    {
                        await change.RunAsync(run);
                    }
                });
            case "purge":
                var what = node.Get("purge").Text;
                var where = node.Find("at")?.Number ?? 1;
                return Step(run => run.Gateway(where).PurgeAsync(run.Fill(what)));
            case "wait":
                var time = node.Get("wait").Duration;
                if (node.Find("why") is null)
                {
                    throw node.Error("a wait for nothing but time says why");
                }

                return Step(_ => Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken));
            case "await":
                var condition = ScenarioExpectation.ReadWorld(node.Get("await"));
                var patience = node.Find("for")?.Duration ?? TimeSpan.FromSeconds(15);
                return Step(run => ScenarioRun.UntilAsync(patience, () => condition.CheckWorldAsync(run)));
            case "expect" when node.Pairs.All(pair => pair.Key is "expect" or "why"):
                var state = ScenarioExpectation.ReadWorld(node.Get("expect"));
                return Step(state.CheckWorldAsync);
            case "check config":
                return ReadCheck(node);
            case "forget":
                return Word("calls", run => run.Simulator.ForgetAsync());
            case "revoke":
                return Word("tokens", run => run.Simulator.RevokeTokensAsync());
            case "redis":
                return ReadRedis(node);
            case "gateway":
                return ReadGateway(node);
            default:
                throw node.Error($"a step is one of {string.Join(", ", verbs)} or each");
        }

        ScenarioStep Step(Func<ScenarioRun, Task> act)
        {
            node.End();
            return new ScenarioStep(node.Where, Breaks: null, act);
        }

        ScenarioStep Word(string word, Func<ScenarioRun, Task> act)
        {
            var verb = node.Pairs.First().Key;
            return node.Get(verb).IsWord(word) ? Step(act) : throw node.Get(verb).Error($"{word} is expected");
        }
    }

    /// <summary>A gateway that is only asked whether it would start with these settings.</summary>
    private static ScenarioStep ReadCheck(ScenarioNode node)
    {
        var settings = node.Get("check config").Pairs.Select(pair => (pair.Key, Value: pair.Text)).ToArray();
        var exit = node.Get("exits with").Number;
        var says = node.Find("says")?.OneOrMore.Select(text => text.Text).ToList() ?? [];
        var saysNot = node.Find("says not")?.OneOrMore.Select(text => text.Text).ToList() ?? [];
        node.End();
        return new ScenarioStep(node.Where, Breaks: null, async run =>
        {
            var (exitCode, output) = await GatewayProcess.CheckConfigurationAsync(GatewayProcess.Environment(run.Simulator, settings));
            Assert.True(exitCode == exit, $"it ended with {exitCode}, not {exit}: {output}");
            Assert.All(says, part => Assert.Contains(part, output, StringComparison.Ordinal));
            Assert.All(saysNot, part => Assert.DoesNotContain(part, output, StringComparison.Ordinal));
            LeakScanner.AssertNone(output);
        });
    }

    private static ScenarioStep ReadRedis(ScenarioNode node)
    {
        Func<RedisServer, Task> act = node.Get("redis").Text switch
        {
            "kill" => redis => redis.KillAsync(),
            "start" => redis => redis.RestartAsync(),
            "freeze" => redis => Signal(redis, Stop),
            "thaw" => redis => Signal(redis, Continue),
            "empty" => redis => redis.FlushAsync(),
            _ => throw node.Get("redis").Error("kill, start, freeze, thaw or empty is expected"),
        };
        node.End();
        return new ScenarioStep(node.Where, "redis", run => act(run.OwnRedis));

        static Task Signal(RedisServer redis, int signal)
        {
            redis.Signal(signal);
            return Task.CompletedTask;
        }
    }

    private static ScenarioStep ReadGateway(ScenarioNode node)
    {
        var number = node.Find("at")?.Number ?? 1;
        Func<ScenarioRun, Task> act = node.Get("gateway").Text switch
        {
            "kill" => run => run.Gateway(number).KillAsync(),
            "stop" => run => run.Gateway(number).StopAsync(),
            "start" => run => run.RestartAsync(number),
            _ => throw node.Get("gateway").Error("kill, stop or start is expected"),
        };
        node.End();
        return new ScenarioStep(node.Where, "gateway", act);
    }
}
