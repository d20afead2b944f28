using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Gateway.FunctionalTests.Stack;

namespace Gateway.FunctionalTests.Matrix;

/// <summary>One cell as it was seen.</summary>
internal sealed class Observation(Answer answer, TimeSpan took, int token, int billing, int paymentwall)
{
    private static readonly string[] AmountFields = ["amountMinor", "amount", "currency", "exponent"];

    public Answer Answer => answer;

    public TimeSpan Took => took;

    /// <summary>Promises that hold in every cell and did not hold here.</summary>
    public List<string> Broken { get; } = [];

    /// <summary>The most memory that the gateway had up to here; zero where it was not looked at.</summary>
    public int PeakMegabytes { get; set; }

    public bool IsInTime => took <= MatrixLane.Deadline + MatrixLane.Slack;

    public Cell Cell => new(
        answer.Status == HttpStatusCode.OK
            ? (bool)answer.Json["completeness"]!["complete"]! ? "200 complete" : "200 incomplete"
            : string.Create(CultureInfo.InvariantCulture, $"{(int)answer.Status} {answer.Code}"),
        answer.Status == HttpStatusCode.OK ? Prices() : "none",
        token,
        billing,
        paymentwall);

    /// <summary>What the contract promises of any answer.</summary>
    public void CheckPromises(string country)
    {
        Demand(answer.Status != HttpStatusCode.InternalServerError, "a status 500");
        Demand(!answer.Body.Contains(MatrixFault.Marker, StringComparison.Ordinal), "text of an upstream's");
        if (answer.Status != HttpStatusCode.OK)
        {
            CheckProblem();
            return;
        }

        Demand((string?)answer.Json["context"]!["country"] == country, "another country");
        int priced = 0, stale = 0, unavailable = 0;
        var complete = answer.Json["completeness"]!["failedProducts"]!.AsArray().Count == 0;
        foreach (var price in answer.Items.Select(item => item!["price"]!))
        {
            CheckPrice(price, country);
            priced += (string?)price["status"] is "live" or "stale" ? 1 : 0;
            stale += (string?)price["status"] == "stale" ? 1 : 0;
            unavailable += (string?)price["status"] == "unavailable" ? 1 : 0;
            complete &= (string?)price["status"] != "unavailable";
            if (price["trial"]?["then"] is { } then)
            {
                CheckPrice(then, country);
                complete &= (string?)then["status"] != "unavailable";
            }
        }

        var said = answer.Json["completeness"]!;
        Demand(
            (priced, stale, unavailable, complete) == ((int)said["priced"]!, (int)said["stale"]!, (int)said["unavailable"]!, (bool)said["complete"]!),
            $"completeness that is not so: {said.ToJsonString()}");
    }

    private void CheckProblem()
    {
        Demand(answer.Header("Content-Type") == "application/problem+json", "a failure that is no problem");
        Demand((string?)answer.Json["type"] == "urn:gateway:problem:" + answer.Code && (string?)answer.Json["traceId"] is { Length: 32 }, "a problem without its parts");
        Demand(answer.Header("Cache-Control") == "no-store", "a problem that may be stored");
        Demand((answer.Status == HttpStatusCode.ServiceUnavailable) == (answer.Header("Retry-After") is not null), "Retry-After, or none");
    }

    private void CheckPrice(JsonNode price, string country)
    {
        var status = (string?)price["status"];
        var amounts = AmountFields.Count(field => price[field] is not null);
        Demand(amounts == (status is "live" or "stale" ? AmountFields.Length : 0), $"{amounts} amount fields of a price that is {status}");
        Demand((price["asOf"] is not null) == (status == "stale"), $"asOf {price["asOf"]} of a price that is {status}");
        Demand((price["reason"] is not null) == (status == "unavailable"), $"reason {price["reason"]} of a price that is {status}");
        Demand((string?)price["currency"] is null || (string?)price["currency"] == (country == "JP" ? "JPY" : "USD"), $"another country's price: {price.ToJsonString()}");
    }

    private string Prices() => string.Join(", ", answer.Items
        .Select(item => item!["price"]!)
        .GroupBy(price => (string?)price["reason"] is { } reason ? $"{price["status"]}: {reason}" : (string?)price["status"])
        .Select(group => string.Create(CultureInfo.InvariantCulture, $"{group.Count()} {group.Key}")));

    private void Demand(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            Broken.Add(otherwise);
        }
    }
}
