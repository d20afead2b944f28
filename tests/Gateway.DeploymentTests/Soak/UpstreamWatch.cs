using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.DeploymentTests.Soak;

/// <summary>Reads what the simulator received, and holds it against what may leave the gateways: which paths, with which credentials.</summary>
internal sealed partial class UpstreamWatch(Uri control, TroubleLog troubles) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>Records are put in order of arrival, but for threads that overtake each other.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(1);

    /// <summary>Of a token's life, less what clocks and a busy machine cost.</summary>
    private static readonly TimeSpan Renewal = (SoakBounds.TokenLife * 0.8) - TimeSpan.FromSeconds(1);

    private static readonly string[] Credentials = ["x-api-key", "cookie", "x-forwarded-for", "forwarded", "x-http-method-override"];

    private readonly HttpClient _control = new() { BaseAddress = control };
    private readonly ConcurrentBag<Violation> _violations = [];
    private readonly ConcurrentDictionary<string, int> _calls = new(StringComparer.Ordinal);
    private readonly List<DateTimeOffset> _tokens = [];

    public IEnumerable<Violation> Violations => _violations;

    /// <summary>By upstream.</summary>
    public IReadOnlyDictionary<string, int> Calls => _calls;

    /// <summary>Access tokens that were handed out.</summary>
    public int Tokens => _tokens.Count;

    /// <summary>Pairs of them that had nothing to excuse them for following each other too soon.</summary>
    public int TokenPairsJudged { get; private set; }

    public async Task WatchAsync(CancellationToken stop) =>
        await Task.WhenAll(WatchAsync("authorization", stop), WatchAsync("billing", stop), WatchAsync("paymentwall", stop));

    public void Dispose() => _control.Dispose();

    /// <summary>
    /// One token per expiry. Two in less than 0.8 of a life are one too many while Redis is there, no token was refused and the token
    /// endpoint was well; four are one too many while Redis is not there, with three replicas.
    /// </summary>
    public void JudgeTokens()
    {
        _tokens.Sort();
        for (var index = 1; index < _tokens.Count; index++)
        {
            var (from, to) = (_tokens[index - 1], _tokens[index]);
            if (troubles.Any(from, to, SoakBounds.TokenLife + TimeSpan.FromSeconds(5), "authorization", "revoke")
                || troubles.Excuses("billing:tokenUnavailable", from, to))
            {
                continue;
            }

            // A replica that begins without Redis needs one of its own.
            var isShared = !troubles.Any(from, to, SoakBounds.TokenLife + TimeSpan.FromSeconds(5), "redis", "unused");
            var allowed = isShared ? 1 : 3 + troubles.All.Count(trouble => trouble.Target == "start" && trouble.Touches(to - Renewal, to, TimeSpan.FromSeconds(10)));
            var first = index - allowed;
            TokenPairsJudged++;
            if (first >= 0 && to - _tokens[first] < Renewal
                && !troubles.Any(_tokens[first], to, SoakBounds.TokenLife + TimeSpan.FromSeconds(5), "authorization", "revoke"))
            {
                _violations.Add(new Violation(
                    to, "one token per expiry", $"{allowed + 1} tokens within {(to - _tokens[first]).TotalSeconds:0.0} s, Redis {(isShared ? "in use" : "not in use")}.", "", string.Join(", ", _tokens.Take(index + 1).TakeLast(5).Select(token => token.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)))));
            }
        }
    }

    private async Task WatchAsync(string upstream, CancellationToken stop)
    {
        var known = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var since = DateTimeOffset.MinValue;
        var last = false;
        while (true)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"requests/{upstream}?since={since:yyyy-MM-ddTHH:mm:ss.fffffffZ}");
            using var records = JsonDocument.Parse(await _control.GetByteArrayAsync(new Uri(path, UriKind.Relative), CancellationToken.None));
            var newest = since + Overlap;
            foreach (var record in records.RootElement.EnumerateArray())
            {
                var at = record.GetProperty("receivedAt").GetDateTimeOffset();
                newest = at > newest ? at : newest;
                if (known.TryAdd($"{at:O}{record.GetProperty("method").GetString()}{record.GetProperty("path").GetString()}?{record.GetProperty("rawQuery").GetString()}", at))
                {
                    _calls.AddOrUpdate(upstream, 1, (_, count) => count + 1);
                    Look(upstream, record, at);
                }
            }

            since = newest - Overlap;
            foreach (var old in known.Where(one => one.Value < since).ToList())
            {
                known.Remove(old.Key);
            }

            if (last)
            {
                return;
            }

            try
            {
                await Task.Delay(Interval, TimeProvider.System, stop);
            }
            catch (OperationCanceledException)
            {
                last = true;
            }
        }
    }

    private void Look(string upstream, JsonElement record, DateTimeOffset at)
    {
        var call = $"{record.GetProperty("method").GetString()} {record.GetProperty("path").GetString()}";
        var query = record.GetProperty("rawQuery").GetString()!;
        var headers = record.GetProperty("headers").EnumerateObject().ToDictionary(header => header.Name, header => header.Value[0].GetString()!, StringComparer.OrdinalIgnoreCase);
        var bearer = headers.GetValueOrDefault("authorization")?.StartsWith("Bearer ", StringComparison.Ordinal) == true;
        var basic = headers.GetValueOrDefault("authorization")?.StartsWith("Basic ", StringComparison.Ordinal) == true;
        var isPermitted = upstream switch
        {
            "authorization" => call == "GET /.well-known/openid-configuration" || (call == "POST /oauth2/token" && basic),
            "billing" => BillingCall().IsMatch(call) && bearer,
            _ => PaymentwallCall().IsMatch(call) && !headers.ContainsKey("authorization") && query.Contains("sign=", StringComparison.Ordinal)
                && query.Contains("country_code=", StringComparison.Ordinal),
        };
        if (!isPermitted || call.Contains(SoakMix.Forbidden, StringComparison.Ordinal) || query.Contains(SoakMix.Forbidden, StringComparison.Ordinal)
            || Credentials.Any(headers.ContainsKey))
        {
            _violations.Add(new Violation(at, "only permitted calls leave", $"{upstream} received a call that may not leave, or not with these headers.", $"{call}", string.Join(", ", headers.Keys)));
        }

        if (call == "POST /oauth2/token" && !record.GetProperty("faulted").GetBoolean())
        {
            lock (_tokens)
            {
                _tokens.Add(at);
            }
        }
    }

    [GeneratedRegex("^(GET|HEAD) /v1/products/[a-z0-9_]+/components$|^GET /v1/customers/shop_[0-9]+/subscriptions/[a-z_]+$|^PUT /v1/subscriptions/1/items/1/quantity$|^GET /v1/elsewhere$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex BillingCall();

    [GeneratedRegex("^(GET|HEAD) /api/rest/product/?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PaymentwallCall();
}
