using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Gateway.Simulator.Faults;
using Gateway.Simulator.Hosting;
using Gateway.Simulator.Requests;

namespace Gateway.Simulator.Control;

/// <summary>
/// What tests and demos change while the simulator runs. A change answers 204 (settings: 200 with what now holds), a body that
/// is wrong 400 and a name that is unknown 404, both as <c>{"error":"…"}</c>. See the map below for the whole of it.
/// </summary>
internal static class ControlEndpoints
{
    private const int LongestLife = 365 * 24 * 60 * 60;

    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly JsonSerializerOptions Records = new(JsonSerializerDefaults.Web)
    {
        // A header name is data, not a property: it keeps its case.
        DictionaryKeyPolicy = null,
    };

    public static void Map(IEndpointRouteBuilder app, SimulatorState state)
    {
        app.MapGet("/health", context => Answers.SendJsonAsync(context, 200, new { status = "up" }));
        app.MapDelete("/", context => DoneAsync(context, state.Reset));
        app.MapPost("/reset", context => DoneAsync(context, state.Reset));

        app.MapGet("/faults", context => Answers.SendJsonAsync(
            context, 200, state.Faults.ToDictionary(board => board.Key, board => board.Value.ToJson())));
        app.MapDelete("/faults", context => DoneAsync(context, state.ClearFaults));
        app.MapPut("/faults/{upstream}", context => PutFaultsAsync(context, state));
        app.MapDelete("/faults/{upstream}", context => OfUpstreamAsync(
            context, state.Faults, board => DoneAsync(context, () => board.Replace([]))));

        app.MapGet("/requests", context => Answers.SendJsonAsync(context, 200, Totals(state)));
        app.MapGet("/requests/{upstream}", context => OfUpstreamAsync(context, state.Requests, log => RecentAsync(context, log)));
        app.MapDelete("/requests", context => DoneAsync(context, state.ClearRequests));

        app.MapPost("/tokens/revoke", context => DoneAsync(context, state.RevokeTokens));
        app.MapGet("/tokens/settings", context => Answers.SendJsonAsync(context, 200, state.Tokens.Settings));
        app.MapPut("/tokens/settings", context => PutSettingsAsync(context, state));

        // With ?country=JP in that country alone.
        app.MapPut("/paymentwall/prices/{**sku}", context => PutRawAsync(
            context, state.PriceOverrides, "sku", sku => PriceName(sku, context.Request.Query["country"].ToString().ToUpperInvariant())));
        app.MapDelete("/paymentwall/prices", context => DoneAsync(context, state.PriceOverrides.Clear));
        app.MapPut("/billing/products/{productId}", context => PutRawAsync(context, state.ProductOverrides, "productId"));
        app.MapDelete("/billing/products", context => DoneAsync(context, state.ProductOverrides.Clear));
    }

    /// <summary>What a price that was put in the place of a SKU's is kept under; an empty country: every country's.</summary>
    public static string PriceName(string sku, string country) => country.Length == 0 ? sku : $"{country}|{sku}";

    /// <summary>With ?since=, ISO 8601: only what was received from then on.</summary>
    private static Task RecentAsync(HttpContext context, RequestLog log)
    {
        var since = DateTimeOffset.MinValue;
        if (context.Request.Query["since"].ToString() is { Length: > 0 } text
            && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out since))
        {
            return RefuseAsync(context, 400, "since is a time in ISO 8601.");
        }

        return Answers.SendAsync(
            context, 200, JsonSerializer.SerializeToUtf8Bytes(log.Recent().Where(record => record.ReceivedAt >= since), Records));
    }

    private static async Task PutFaultsAsync(HttpContext context, SimulatorState state)
    {
        var (json, error) = await ReadAsync<JsonElement>(context);
        IReadOnlyList<Fault> faults = [];
        if (error is null)
        {
            (faults, error) = Fault.Parse(json);
        }

        await (error is not null
            ? RefuseAsync(context, 400, error)
            : OfUpstreamAsync(context, state.Faults, board => DoneAsync(context, () => board.Replace(faults))));
    }

    private static SortedDictionary<string, object> Totals(SimulatorState state)
    {
        var totals = state.Requests.ToDictionary(log => log.Key, log => log.Value.Totals(), StringComparer.Ordinal);
        var answer = new SortedDictionary<string, object>(StringComparer.Ordinal)
        {
            ["inFlightMax"] = totals.ToDictionary(t => t.Key, t => t.Value.InFlightMax, StringComparer.Ordinal),
        };
        foreach (var (upstream, (counts, _)) in totals)
        {
            answer[upstream] = counts;
        }

        return answer;
    }

    private static async Task PutSettingsAsync(HttpContext context, SimulatorState state)
    {
        var (settings, error) = await ReadAsync<SettingsRequest>(context);
        if (error is null && settings is null)
        {
            error = "The body is a JSON object.";
        }

        if (error is null && settings!.LifetimeSeconds is < 0 or > LongestLife)
        {
            error = $"lifetimeSeconds must be 0 to {LongestLife}.";
        }

        if (error is null && settings!.SkewSeconds is < -LongestLife or > LongestLife)
        {
            error = $"skewSeconds must be {-LongestLife} to {LongestLife}.";
        }

        if (error is not null)
        {
            await RefuseAsync(context, 400, error);
            return;
        }

        state.Tokens.Configure(settings!.LifetimeSeconds, settings.OmitExpiresIn, settings.OmitTokenType, settings.SkewSeconds, settings.Patch);
        await Answers.SendJsonAsync(context, 200, state.Tokens.Settings);
    }

    private static async Task PutRawAsync(HttpContext context, RawAnswers answers, string parameter, Func<string, string>? keptUnder = null)
    {
        // Routing leaves an encoded slash as it is.
        var name = ((string?)context.Request.RouteValues[parameter])?.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        if (string.IsNullOrEmpty(name))
        {
            await RefuseAsync(context, 400, $"The path ends with the {parameter}.");
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        await DoneAsync(context, () => answers.Set(keptUnder?.Invoke(name) ?? name, body.ToArray()));
    }

    private static async Task<(T? Value, string? Error)> ReadAsync<T>(HttpContext context)
    {
        try
        {
            return (await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Strict, context.RequestAborted), null);
        }
        catch (JsonException exception)
        {
            return (default, exception.Message);
        }
    }

    private static Task OfUpstreamAsync<T>(HttpContext context, IReadOnlyDictionary<string, T> parts, Func<T, Task> then)
    {
        var name = (string)context.Request.RouteValues["upstream"]!;
        return parts.TryGetValue(name, out var part)
            ? then(part)
            : RefuseAsync(context, 404, $"No upstream '{name}'; there are {string.Join(", ", Upstream.All)}.");
    }

    private static Task DoneAsync(HttpContext context, Action change)
    {
        change();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static Task RefuseAsync(HttpContext context, int status, string error) =>
        Answers.SendJsonAsync(context, status, new { error });

    /// <summary>What is left out gets its value of the start.</summary>
    private sealed record SettingsRequest(long? LifetimeSeconds, bool? OmitExpiresIn, bool? OmitTokenType, long? SkewSeconds, JsonObject? Patch);
}
