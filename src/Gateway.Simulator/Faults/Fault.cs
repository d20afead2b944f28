using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Simulator.Faults;

/// <summary>
/// What goes wrong with the requests it matches. Latency combines with everything; without status, a body, truncate, drop or
/// hang the real answer follows, with <see cref="ContentType"/> and <see cref="Headers"/> laid over it.
/// </summary>
internal sealed record Fault
{
    private const int LongestWait = 600_000;
    private const int MostPadding = 1_000_000_000;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    /// <summary>Ordinal substring of path and query, as sent or decoded; absent: every request.</summary>
    public string? Match { get; init; }

    /// <summary>Only the next so many matching requests, then the fault is gone; absent: until it is cleared.</summary>
    public int? Times { get; init; }

    /// <summary>Lets so many matching requests through first.</summary>
    public int? Skip { get; init; }

    /// <summary>Wait before anything else, 0 to 600,000 ms.</summary>
    public int? LatencyMs { get; init; }

    /// <summary>Up to so many milliseconds more, evenly spread.</summary>
    public int? JitterMs { get; init; }

    /// <summary>200 to 599. Without a body an error carries the vendor's form, anything else none.</summary>
    public int? Status { get; init; }

    /// <summary>The header Retry-After, as text.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>Sent instead of the answer; status 200 unless given.</summary>
    public string? Body { get; init; }

    /// <summary>As <see cref="Body"/>, for bytes that are no text.</summary>
    public string? BodyBase64 { get; init; }

    public string? ContentType { get; init; }

    /// <summary>So many spaces behind the body (the given, or the real one), which JSON permits; chunked. 1 to 1,000,000,000.</summary>
    public int? PadBytes { get; init; }

    /// <summary>Half of the body (the given, or the real one's) under a Content-Length of the whole, then the cut.</summary>
    public bool Truncate { get; init; }

    /// <summary>The connection is cut without an answer.</summary>
    public bool Drop { get; init; }

    /// <summary>No answer until the client leaves or the faults are replaced or cleared; then the real one follows.</summary>
    public bool Hang { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The given body; null if there is none.</summary>
    [JsonIgnore]
    public byte[]? Given => Body is not null ? Encoding.UTF8.GetBytes(Body) : BodyBase64 is not null ? Convert.FromBase64String(BodyBase64) : null;

    /// <summary>One fault or an array of them, or what is wrong with it.</summary>
    public static (IReadOnlyList<Fault> Faults, string? Error) Parse(JsonElement json)
    {
        var faults = new List<Fault>();
        JsonElement[] elements = json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray()] : [json];
        foreach (var (index, element) in elements.Index())
        {
            var at = json.ValueKind == JsonValueKind.Array ? string.Create(CultureInfo.InvariantCulture, $"[{index}]: ") : "";
            if (element.ValueKind != JsonValueKind.Object)
            {
                return ([], $"{at}a fault is a JSON object.");
            }

            try
            {
                var fault = element.Deserialize<Fault>(Json)!;
                if (fault.Error() is { } error)
                {
                    return ([], at + error);
                }

                faults.Add(fault);
            }
            catch (JsonException exception)
            {
                return ([], at + exception.Message);
            }
        }

        return (faults, null);
    }

    public JsonElement ToJson(int? timesLeft, int skipLeft) =>
        JsonSerializer.SerializeToElement(this with { Times = timesLeft, Skip = skipLeft == 0 ? null : skipLeft }, Json);

    private string? Error()
    {
        if (Times < 1)
        {
            return "times must be at least 1; leave it out for no limit.";
        }

        if (Skip < 0)
        {
            return "skip must not be negative.";
        }

        if (LatencyMs is < 0 or > LongestWait || JitterMs is < 0 or > LongestWait)
        {
            return "latencyMs and jitterMs must be 0 to 600000.";
        }

        if (Status is < 200 or > 599)
        {
            return "status must be 200 to 599.";
        }

        if (BodyBase64 is not null && (Body is not null || !Base64.IsValid(BodyBase64)))
        {
            return "bodyBase64 must be base64, and not beside body.";
        }

        if (PadBytes is < 1 or > MostPadding)
        {
            return "padBytes must be 1 to 1000000000.";
        }

        if (PadBytes is not null && Truncate)
        {
            return "padBytes and truncate exclude each other.";
        }

        var hasBody = Body is not null || BodyBase64 is not null || PadBytes is not null;
        var answers = Status is not null || hasBody || Truncate;
        if ((Drop ? 1 : 0) + (Hang ? 1 : 0) + (answers ? 1 : 0) > 1)
        {
            return "drop, hang, and an answer of its own (status, body, bodyBase64, padBytes, truncate) exclude each other.";
        }

        if ((Drop || Hang) && (RetryAfter is not null || ContentType is not null || Headers is not null))
        {
            return "drop and hang send no headers: leave out retryAfter, contentType and headers.";
        }

        if (Status is 204 or 205 or 304 && (hasBody || Truncate))
        {
            return "an answer of status 204, 205 or 304 has no body.";
        }

        if (!answers && !Drop && !Hang && LatencyMs is null && JitterMs is null
            && RetryAfter is null && ContentType is null && Headers is null)
        {
            return "the fault does nothing: give one of latencyMs, jitterMs, status, retryAfter, body, bodyBase64, padBytes, "
                + "contentType, truncate, drop, hang, headers.";
        }

        return HeaderError();
    }

    private string? HeaderError()
    {
        foreach (var (name, value) in Headers ?? new Dictionary<string, string>())
        {
            if (name.Length == 0 || !name.All(IsTokenCharacter))
            {
                return $"headers: '{name}' is not a header name.";
            }

            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                || name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                return $"headers: {name} is the server's own; use truncate.";
            }

            if (!IsHeaderValue(value))
            {
                return $"headers: the value of {name} must be printable ASCII.";
            }
        }

        if (!IsHeaderValue(RetryAfter ?? ""))
        {
            return "retryAfter must be printable ASCII.";
        }

        return IsHeaderValue(ContentType ?? "") ? null : "contentType must be printable ASCII.";
    }

    private static bool IsTokenCharacter(char c) =>
        char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private static bool IsHeaderValue(string? value) => value is not null && value.All(c => c is >= ' ' and <= '~' or '\t');
}
