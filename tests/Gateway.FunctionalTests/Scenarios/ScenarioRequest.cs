using System.Globalization;
using System.Text;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Scenarios;

/// <summary>What a client asks: once, so many times in turn or at once, until the answer is as expected, or in the background.</summary>
internal sealed class ScenarioRequest
{
    private readonly List<(string Name, string Value)> _headers = [];
    private string? _body;

    private ScenarioRequest()
    {
    }

    public required HttpMethod Method { get; init; }

    public required string Path { get; init; }

    /// <summary>Which gateway; 0: every one.</summary>
    public int At { get; private set; } = 1;

    public int Times { get; private set; } = 1;

    public int AtOnce { get; private set; } = 1;

    public TimeSpan? Until { get; private set; }

    /// <summary>The name to finish it by, where the story goes on meanwhile.</summary>
    public string? Background { get; private set; }

    /// <summary>The name that later steps know the answer by.</summary>
    public string? As { get; private set; }

    public string Said => $"{Method} {Path}";

    public required ScenarioExpectation Expected { get; init; }

    /// <summary>Null where the step is none.</summary>
    public static ScenarioRequest? Find(ScenarioNode node)
    {
        var line = node.Find("request");
        foreach (var method in new[] { "get", "head" })
        {
            line ??= node.Find(method);
        }

        if (line is null)
        {
            return null;
        }

        var words = line.Key == "request" ? line.Text.Split(' ', 2) : [line.Key.ToUpperInvariant(), line.Text];
        if (words is not [var verb, ['/' or '*', ..] path])
        {
            throw line.Error("a method and a path are expected, such as GET /catalog");
        }

        var request = new ScenarioRequest { Method = new HttpMethod(verb), Path = path, Expected = ScenarioExpectation.Read(node.Find("expect")) };
        request.ReadRest(node);
        return request;
    }

    /// <param name="run">Knows the names in it.</param>
    /// <param name="gateway">Its address.</param>
    /// <param name="turn">Of how many that are asked, <c>${turn}</c> in the path.</param>
    public HttpRequestMessage Message(ScenarioRun run, Uri gateway, int turn)
    {
        // As written: dots and escapes in a path are somebody else's to judge.
        var path = run.Fill(Path.Replace("${turn}", turn.ToString("000", CultureInfo.InvariantCulture), StringComparison.Ordinal));
        var address = new Uri(gateway.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(Method, address);
        if (_body is not null)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(_body));
        }

        foreach (var (name, value) in _headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, run.Fill(value)))
            {
                message.Content!.Headers.TryAddWithoutValidation(name, run.Fill(value));
            }
        }

        return message;
    }

    private void ReadRest(ScenarioNode node)
    {
        foreach (var header in node.Find("headers")?.Pairs ?? [])
        {
            _headers.AddRange(header.OneOrMore.Select(value => (header.Key, value.Text)));
        }

        if (node.Find("key") is { } key)
        {
            _headers.Add(("X-Api-Key", key.Text switch
            {
                "admin" => GatewayProcess.AdminKey,
                "proxy" => GatewayProcess.ProxyKey,
                "wrong" => "not-a-key-of-anybody",
                "empty" => string.Empty,
                _ => throw key.Error("admin, proxy, wrong or empty is expected"),
            }));
        }

        _body = node.Find("body")?.Text;
        if (node.Find("body of") is { } size)
        {
            _body = new string('x', size.Number);
        }

        At = node.Find("at") is { } at ? at.IsWord("all") ? 0 : at.Number : 1;
        Times = node.Find("times")?.Number ?? 1;
        AtOnce = node.Find("at once")?.Number ?? 1;
        Until = node.Find("until")?.Duration;
        Background = node.Find("background")?.Text;
        As = node.Find("as")?.Text;
    }
}
