using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.FunctionalTests.Stack;
using Gateway.Problems;

namespace Gateway.DeploymentTests.Soak;

/// <summary>
/// Holds every answer against the promises of the contract, knowing what was true and what was made to go wrong at the time. In order:
/// (1) that there is an answer, and in time; (2) whether its status may be; (3) for the catalog its headers and its bytes; (4) its
/// content: the items, how complete it says it is, and every price.
/// </summary>
internal sealed class AnswerChecker(SoakWorld world, PriceLedger prices, TroubleLog troubles, WarmthLedger warmth, DemandLedger demand)
{
    private const int ExcerptLength = 400;

    /// <summary>Clocks of one machine, read by different processes.</summary>
    private static readonly TimeSpan ClockError = TimeSpan.FromMilliseconds(20);

    /// <summary>The gateway's own failures, but for the one that is a bug. That the table is the contract's is for <c>ProblemTests</c>.</summary>
    private static readonly Dictionary<string, int> Problems =
        Problem.All.Where(problem => problem != Problem.InternalError).ToDictionary(problem => problem.Code, problem => problem.Status, StringComparer.Ordinal);

    private static readonly string[] Reasons = ["timeout", "unreachable", "rejected", "badPayload", "throttled", "circuitOpen"];

    private readonly ConcurrentDictionary<(string Path, string ETag), string> _bodies = new();

    /// <summary>What haproxy lost because a gateway was killed: allowed, and counted.</summary>
    public int LostToKills => _lostToKills;

    /// <summary>What ran out of time without any fault while the machine stood still or had no processor to spare: allowed, and counted.</summary>
    public int LostToTheMachine => _lostToTheMachine;

    /// <summary>For how long before a request a standstill counts: the longest chain of waits.</summary>
    public static readonly TimeSpan Recently = TimeSpan.FromSeconds(15);

    /// <summary>A standstill that may cost an upstream call its attempt.</summary>
    private static readonly TimeSpan Standstill = TimeSpan.FromSeconds(1);

    private static readonly string[] OutOfTime = ["timeout", "upstreamTimedOut", "tokenUnavailable", "pricesUnavailable", "circuitOpen"];

    /// <summary>Answers that are made of warm parts alone while an upstream that they are of was in trouble.</summary>
    public int WarmInTrouble => _warmInTrouble;

    private int _lostToKills;
    private int _lostToTheMachine;
    private int _warmInTrouble;

    /// <summary>Everything that is wrong with an answer, and its content if it is a whole one of the catalog.</summary>
    public (IReadOnlyList<Violation> Violations, CatalogContent? Content) Check(Observation seen)
    {
        var found = new Findings(seen);
        CatalogContent? content = null;
        try
        {
            content = Check(seen, found);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or InvalidDataException)
        {
            found.Add("the contract's form", $"The answer cannot be read: {exception.Message}");
        }

        return (found.All, content);
    }

    private CatalogContent? Check(Observation seen, Findings found)
    {
        // 1
        CheckLatency(seen, found);
        if (seen.Status == 0 || !seen.IsGateways)
        {
            if (troubles.Any(seen.SentAt, seen.ReceivedAt, TimeSpan.FromSeconds(1), "kill"))
            {
                Interlocked.Increment(ref _lostToKills);
            }
            else if (!IsCutShort(seen))
            {
                found.Add("an answer", seen.Status == 0 ? $"No answer: {seen.Error}" : "haproxy answered by itself, and no gateway had been killed.");
            }

            return null;
        }

        if (LeakScanner.Find(string.Join('\n', seen.Headers.Values)) is not null
            || (seen.Status is not 200 && LeakScanner.Find(Encoding.UTF8.GetString(seen.Body)) is not null))
        {
            found.Add("no secrets", "A credential is in the answer.");
        }

        // 2
        var problem = seen.Header("content-type")?.StartsWith("application/problem+json", StringComparison.Ordinal) == true ? ReadProblem(seen, found) : null;
        if (seen.Request.Refusal is var (status, code))
        {
            if (seen.Status != status || (problem != code && seen.Request.Method != HttpMethod.Head))
            {
                found.Add("status codes", $"Expected {status} {code}, got {seen.Status} {problem}.");
            }

            return null;
        }

        if (seen.Request.Catalog is { } ask)
        {
            return CheckCatalog(seen, ask, problem, found);
        }

        CheckProxied(seen, problem, found);
        return null;
    }

    private void CheckLatency(Observation seen, Findings found)
    {
        var bound = (seen.Request.Catalog is not null || seen.Request.Refusal is not null ? SoakBounds.Deadline : SoakBounds.ProxyTimeout) + SoakBounds.Slack + seen.Pause;
        var took = seen.ReceivedAt - seen.SentAt;
        if (took > bound && took < bound + SoakBounds.Starved && seen is { IsStarved: true, IsYoung: true })
        {
            Interlocked.Increment(ref _lostToTheMachine);
        }
        else if (took > bound)
        {
            found.Add("latency", $"It took {took.TotalSeconds:0.00} s, more than {bound.TotalSeconds:0.00} s (this process stood still for {seen.Pause.TotalSeconds:0.00} s of it).");
        }
    }

    /// <summary>
    /// An upstream's answer that breaks off midway breaks off for the client of a proxied route too. If nothing of it had been sent
    /// yet, haproxy says so in its own words.
    /// </summary>
    private bool IsCutShort(Observation seen) =>
        (seen.Request.Billing is not null && troubles.Excuses("billing-proxy:cut", seen.SentAt, seen.ReceivedAt))
        || (seen.Request.Price is not null && troubles.Excuses("paymentwall-proxy:cut", seen.SentAt, seen.ReceivedAt));

    /// <summary>A fault explains it; or the machine does, which can only make things late.</summary>
    private bool Excuses(string what, Observation seen, DateTimeOffset from)
    {
        if (troubles.Excuses(what, from, seen.ReceivedAt))
        {
            return true;
        }

        if ((seen.PauseBefore < Standstill && !seen.IsStarved) || !OutOfTime.Contains(what[(what.IndexOf(':', StringComparison.Ordinal) + 1)..]))
        {
            return false;
        }

        Interlocked.Increment(ref _lostToTheMachine);
        return true;
    }

    /// <summary>The code of a problem that is as problems are.</summary>
    private static string ReadProblem(Observation seen, Findings found)
    {
        if (seen.Request.Method == HttpMethod.Head)
        {
            return Problems.FirstOrDefault(one => one.Value == seen.Status).Key ?? "?";
        }

        using var json = JsonDocument.Parse(Plain(seen));
        var code = json.RootElement.GetProperty("code").GetString() ?? "";
        if (!Problems.TryGetValue(code, out var status) || status != seen.Status)
        {
            found.Add("status codes", $"{seen.Status} {code} is not in the contract's table.");
        }

        if (json.RootElement.GetProperty("type").GetString() != "urn:gateway:problem:" + code
            || json.RootElement.GetProperty("status").GetInt32() != seen.Status
            || string.IsNullOrEmpty(json.RootElement.GetProperty("traceId").GetString())
            || seen.Header("cache-control") != "no-store"
            || (seen.Status is 429 or 503) != (seen.Header("retry-after") is not null))
        {
            found.Add("the contract's form", "A problem lacks something: type, status, traceId, no-store, or Retry-After at the right codes.");
        }

        return code;
    }

    private CatalogContent? CheckCatalog(Observation seen, CatalogAsk ask, string? problem, Findings found)
    {
        var unknown = ask.Products.All(product => world.Expected(ask, product) is null);
        if (problem is not null)
        {
            CheckCatalogProblem(seen, ask, problem, unknown, found);
            return null;
        }

        if (seen.Status is not (200 or 304) || unknown)
        {
            found.Add("status codes", $"{seen.Status} is no answer to this question.");
            return null;
        }

        // 3
        CheckHeaders(seen, ask, found);
        CatalogContent? content;
        if (seen.Status == 304)
        {
            // What the customer has is said to be what it would get now.
            content = seen.Known;
            if (seen.Header("etag") != seen.Request.IfNoneMatch || !_bodies.ContainsKey((seen.Request.Path, seen.Request.IfNoneMatch ?? "")))
            {
                found.Add("ETag", $"304 for a tag that was not given out for this question: {seen.Header("etag")} to {seen.Request.IfNoneMatch}.");
            }

            if (seen.Body.Length > 0)
            {
                found.Add("ETag", "A 304 has a body.");
            }
        }
        else if (seen.Request.Method == HttpMethod.Head)
        {
            return null;
        }
        else
        {
            content = CatalogContent.Read(Plain(seen));
        }

        // 4
        if (content is not null)
        {
            CheckContent(seen, ask, content, found);
        }

        return content;
    }

    private void CheckCatalogProblem(Observation seen, CatalogAsk ask, string problem, bool unknown, Findings found)
    {
        if (problem == "productNotFound" && unknown)
        {
            return;
        }

        var excused = seen.Request.Method == HttpMethod.Head
            ? Problems.Where(one => one.Value == seen.Status).Any(one => Excuses("billing:" + one.Key, seen, seen.SentAt) || one.Key == "pricesUnavailable")
            : problem == "pricesUnavailable"
                ? ask.Prices == "required" && Excuses("paymentwall:" + problem, seen, seen.SentAt)
                : Excuses("billing:" + problem, seen, seen.SentAt);
        if (!excused)
        {
            found.Add("status codes", $"{seen.Status} {problem}, and nothing that was made to go wrong explains it.");
        }

        if (seen.Instance is { } instance && seen.Status >= 500)
        {
            var warm = ask.Products.Where(product => world.Expected(ask, product) is not null && IsWarm(seen, instance, Listing(ask, product))).ToList();
            if (problem != "pricesUnavailable" && warm.Count > 0)
            {
                found.Add("never down", $"{seen.Status} {problem} although {instance} has the components of {string.Join(", ", warm)}.");
            }
            else if (problem == "pricesUnavailable" && warm.Count == ask.Products.Count
                && ask.Products.SelectMany(product => world.Expected(ask, product)!).All(sku => IsCompleteAndFresh(seen, instance, ask.Country, sku)))
            {
                found.Add("never down", $"{problem} although {instance} has every price.");
            }
        }
    }

    private void CheckHeaders(Observation seen, CatalogAsk ask, Findings found)
    {
        if (seen.Header("vary") is not { } vary || !vary.Contains("Accept-Encoding", StringComparison.Ordinal) || !vary.Contains("sandbox", StringComparison.Ordinal))
        {
            found.Add("the contract's form", $"Vary is {seen.Header("vary")}.");
        }

        var cacheControl = seen.Header("cache-control") ?? "";
        var maxAge = cacheControl.StartsWith("public, max-age=", StringComparison.Ordinal)
            && long.TryParse(cacheControl["public, max-age=".Length..].Split(',')[0], CultureInfo.InvariantCulture, out var seconds) ? seconds : -1;
        if (ask.Sandbox ? cacheControl != "private, no-store" : maxAge < 0 || maxAge > SoakBounds.FreshFor.TotalSeconds)
        {
            found.Add("the contract's form", $"Cache-Control is {cacheControl}.");
        }

        var etag = seen.Header("etag");
        if (etag is null || !etag.StartsWith('"'))
        {
            found.Add("ETag", $"Not a strong ETag: {etag}.");
            return;
        }

        if (seen.Status != 200)
        {
            return;
        }

        // Of a HEAD only the length is known.
        var isHead = seen.Request.Method == HttpMethod.Head;
        var bytes = isHead
            ? seen.Header("content-length") + " "
            : string.Create(CultureInfo.InvariantCulture, $"{seen.Body.Length} {Convert.ToHexStringLower(SHA256.HashData(seen.Body).AsSpan(0, 12))}");
        var before = _bodies.GetOrAdd((seen.Request.Path, etag), bytes);
        if (before != bytes && !before.StartsWith(bytes, StringComparison.Ordinal) && !bytes.StartsWith(before, StringComparison.Ordinal))
        {
            found.Add("ETag", $"{etag} was given to other bytes before: {before}, now {bytes}.");
        }
        else if (!isHead)
        {
            _bodies[(seen.Request.Path, etag)] = bytes;
        }
    }

    private void CheckContent(Observation seen, CatalogAsk ask, CatalogContent content, Findings found)
    {
        if (content.Country != ask.Country || content.Sandbox != ask.Sandbox || content.Lang != ask.Lang)
        {
            found.Add("context", $"It is for {content.Country}, sandbox {content.Sandbox}, language {content.Lang}.");
        }

        CountWarm(seen, ask);
        CheckItems(seen, ask, content, found);
        CheckCompleteness(content, found);
        foreach (var item in content.Items)
        {
            var expected = item.Id;
            if (item.Price.Sku != expected)
            {
                found.Add("wrong price", $"The SKU of {item.Id} is {item.Price.Sku}.");
                continue;
            }

            if (ask.Prices == "skip")
            {
                if (item.Price is not { Status: "skipped", AmountMinor: null })
                {
                    found.Add("the contract's form", $"{item.Id} was to be skipped and is {item.Price}.");
                }

                continue;
            }

            CheckPrice(seen, ask, expected, item.Price, found);
            var follower = item.Price.AmountMinor is null ? null : PriceLedger.Follower(expected);
            if ((item.Then is null) != (follower is null))
            {
                found.Add("the contract's form", $"{item.Id} {(follower is null ? "is no trial and has a price for afterwards" : "is a trial and says nothing of what follows")}.");
            }
            else if (item.Then is { } then)
            {
                CheckPrice(seen, ask, follower!, then, found);
            }
        }

        if (ask.Prices == "required" && content.Counts["unavailable"] > 0)
        {
            found.Add("the contract's form", "prices=required was answered with unavailable prices.");
        }
    }

    private void CountWarm(Observation seen, CatalogAsk ask)
    {
        if (seen.Instance is { } instance && troubles.Any(seen.SentAt, seen.ReceivedAt, TimeSpan.Zero, "billing", "paymentwall", "authorization", "redis")
            && ask.Products.All(product => IsWarm(seen, instance, Listing(ask, product))
                && world.Expected(ask, product)!.All(sku => !prices.Knows(ask.Country, sku) || IsCompleteAndFresh(seen, instance, ask.Country, sku))))
        {
            Interlocked.Increment(ref _warmInTrouble);
        }
    }

    /// <summary>Items are never dropped, and there are no others.</summary>
    private void CheckItems(Observation seen, CatalogAsk ask, CatalogContent content, Findings found)
    {
        var failed = content.FailedProducts.Select(one => one.ProductId).ToHashSet(StringComparer.Ordinal);
        var expected = ask.Products.Where(product => !failed.Contains(product)).SelectMany(product => world.Expected(ask, product) ?? []);
        if (!content.Items.Select(item => item.Id).SequenceEqual(expected) || content.Total != content.Items.Count)
        {
            found.Add("items", $"Items are {string.Join(' ', content.Items.Select(item => item.Id))}, total {content.Total}.");
        }

        foreach (var (product, code) in content.FailedProducts)
        {
            if (!ask.Products.Contains(product))
            {
                found.Add("items", $"{product} failed, and was not asked for.");
            }
            else if (world.Expected(ask, product) is null)
            {
                if (code != "productNotFound" && !Excuses("billing:" + code, seen, Earlier(seen)))
                {
                    found.Add("status codes", $"{product} failed with {code}, and nothing that was made to go wrong explains it.");
                }
            }
            else if (!Excuses("billing:" + code, seen, Earlier(seen)))
            {
                found.Add("status codes", $"{product} failed with {code}, and nothing that was made to go wrong explains it.");
            }
            else if (seen.Instance is { } instance && IsWarm(seen, instance, Listing(ask, product)))
            {
                found.Add("never down", $"{product} failed with {code} although {instance} has its components.");
            }
        }

        if (seen.Instance is { } holder)
        {
            foreach (var product in ask.Products.Where(product => !failed.Contains(product)))
            {
                warmth.Hold(holder, Listing(ask, product), seen.SentAt, seen.ReceivedAt);
            }
        }
    }

    private static void CheckCompleteness(CatalogContent content, Findings found)
    {
        var statuses = content.Items.CountBy(item => item.Price.Status).ToDictionary(StringComparer.Ordinal);
        var (live, stale) = (statuses.GetValueOrDefault("live"), statuses.GetValueOrDefault("stale"));
        var complete = content.FailedProducts.Count == 0 && content.Items.All(item => item.Price.Status != "unavailable" && item.Then?.Status != "unavailable");
        if (content.Counts["components"] != content.Items.Count || content.Counts["priced"] != live + stale || content.Counts["stale"] != stale
            || content.Counts["notFound"] != statuses.GetValueOrDefault("notFound") || content.Counts["unavailable"] != statuses.GetValueOrDefault("unavailable")
            || content.Complete != complete)
        {
            found.Add("completeness", $"It says complete {content.Complete}, {string.Join(", ", content.Counts)}; the items say complete {complete}, {string.Join(", ", statuses)}.");
        }
    }

    private void CheckPrice(Observation seen, CatalogAsk ask, string sku, CatalogContent.Price price, Findings found)
    {
        var hasAmount = price.Status is "live" or "stale";
        if (price.Sku != sku || hasAmount != (price.AmountMinor is not null) || hasAmount != (price.Amount is not null) || hasAmount != (price.Currency is not null)
            || (price.Status == "stale" && price.AsOf is null) || (price.Status is not ("stale" or "notFound") && price.AsOf is not null) || (price.Status == "unavailable") != (price.Reason is not null))
        {
            found.Add("the contract's form", $"The price of {sku} is {price}.");
            return;
        }

        switch (price.Status)
        {
            case "live" or "stale":
                CheckAmount(seen, ask.Country, sku, price, found);
                break;
            case "notFound":
                CheckNotFound(seen, ask.Country, sku, price.AsOf, found);
                break;
            case "unavailable":
                CheckUnavailable(seen, ask.Country, sku, price.Reason!, found);
                break;
            default:
                found.Add("the contract's form", $"The price of {sku} has the status {price.Status}.");
                break;
        }
    }

    /// <summary>A price is one that was true for exactly this country and SKU, and not longer ago than allowed.</summary>
    private void CheckAmount(Observation seen, string country, string sku, CatalogContent.Price price, Findings found)
    {
        var minor = price.AmountMinor!.Value;
        if (!prices.TryDecode(minor, out var ofCountry, out var ofSku, out var number) || prices.Find(ofCountry, ofSku, number) is null)
        {
            found.Add("wrong price", $"{sku} in {country} is shown with {minor}, which was nobody's price.");
            return;
        }

        var (currency, exponent) = prices.CurrencyOf(country);
        if (ofCountry != country || ofSku != sku)
        {
            found.Add("wrong price", $"{sku} in {country} is shown with {minor}, which is the price of {ofSku} in {ofCountry}.");
            return;
        }

        if (price.Currency != currency || price.Exponent != exponent || price.Amount != PriceLedger.Decimal(minor, exponent))
        {
            found.Add("wrong price", $"{sku} in {country} is shown with {price}; the currency is {currency}, exponent {exponent}.");
        }

        var (version, until) = prices.Find(country, sku, number)!.Value;
        if (version.From > seen.ReceivedAt + ClockError)
        {
            found.Add("wrong price", $"{sku} in {country} is shown with {minor}, which became true only at {version.From:O}.");
        }

        if (price.Status == "stale")
        {
            if (price.AsOf < version.From - ClockError || price.AsOf > until + SoakBounds.Slack + seen.Pause || price.AsOf > seen.ReceivedAt + ClockError)
            {
                found.Add("wrong price", $"{sku} in {country} is shown with {minor} as of {price.AsOf:O}; it was true from {version.From:O} to {until:O}.");
            }
        }
        else if (until is { } end && seen.SentAt - end > SoakBounds.FreshFor + SoakBounds.Refresh + SoakBounds.Slack && seen.Instance is { } asked

            // It is fresh from when it was got, which is later than when it was true by as long as the call took.
            && demand.AnsweredBetween(asked, country, sku, end + SoakBounds.Slack + SoakBounds.FreshFor, seen.SentAt - SoakBounds.Refresh - SoakBounds.Slack))
        {
            // The refresh itself may be late, for want of a processor.
            if (seen.IsStarved && seen.SentAt - end <= SoakBounds.FreshFor + SoakBounds.Refresh + SoakBounds.Slack + SoakBounds.Starved)
            {
                Interlocked.Increment(ref _lostToTheMachine);
            }
            else
            {
                found.Add("over-age live price", $"{sku} in {country} is shown live with {minor}, not true since {(seen.SentAt - end).TotalSeconds:0.0} s, although {asked} had been asked for it after it was stale and had the time to refresh it or to find that it cannot.");
            }
        }

        if (seen.Instance is { } instance)
        {
            warmth.Hold(instance, PricePart(country, sku), seen.SentAt, seen.ReceivedAt);
            demand.Answered(instance, country, sku, seen.ReceivedAt);
        }
    }

    /// <summary>As old as a price may be; if Paymentwall cannot be asked it was so when the answer says.</summary>
    private void CheckNotFound(Observation seen, string country, string sku, DateTimeOffset? asOf, Findings found)
    {
        var allowed = SoakBounds.NotFoundFor + SoakBounds.NotFoundFor + SoakBounds.Refresh + SoakBounds.Deadline + SoakBounds.Slack + seen.Pause;
        if (prices.Knows(country, sku) && !(prices.LastMissing(country, sku, asOf ?? seen.ReceivedAt) + allowed >= (asOf ?? seen.SentAt)))
        {
            found.Add("wrong price", $"{sku} is said not to be sold in {country}, where it is.");
        }
    }

    private void CheckUnavailable(Observation seen, string country, string sku, string reason, Findings found)
    {
        if (!Reasons.Contains(reason))
        {
            found.Add("the contract's form", $"{sku} is unavailable for {reason}.");
        }
        else if (!Excuses("paymentwall:" + reason, seen, Earlier(seen)))
        {
            found.Add("status codes", $"{sku} in {country} is unavailable for {reason}, and nothing that was made to go wrong explains it.");
        }

        if (seen.Instance is { } instance && IsPriceWarm(seen, instance, country, sku))
        {
            found.Add("never down", $"{sku} in {country} is unavailable for {reason} although {instance} has a price.");
        }
    }

    private void CheckProxied(Observation seen, string? problem, Findings found)
    {
        var upstream = seen.Request.Price is null ? "billing" : "paymentwall";
        var whole = seen.Request.Price is null ? seen.Request.Billing : 200;
        if (seen.Status != whole || problem is not null)
        {
            // A HEAD's problem has no body to say which.
            var what = problem is null ? [seen.Status.ToString(CultureInfo.InvariantCulture)]
                : seen.Request.Method == HttpMethod.Head ? Problems.Where(one => one.Value == seen.Status).Select(one => one.Key)
                : [problem];
            if (!what.Any(one => Excuses($"{upstream}-proxy:{one}", seen, seen.SentAt)))
            {
                found.Add("status codes", $"{seen.Status} {problem}, and nothing that was made to go wrong explains it.");
            }

            return;
        }

        if (seen.Request.Price is var (country, sku) && seen.Request.Method != HttpMethod.Head)
        {
            CheckProxiedPrice(seen, country, sku, found);
        }
    }

    /// <summary>Not cached: what is true now. A trial's signature and country are right, or Paymentwall would not have answered.</summary>
    private void CheckProxiedPrice(Observation seen, string country, string sku, Findings found)
    {
        var text = Encoding.UTF8.GetString(Plain(seen));
        if (!text.StartsWith('{'))
        {
            if (text == "[]" && prices.LastMissing(country, sku, seen.ReceivedAt) >= seen.SentAt - ClockError)
            {
                return;
            }

            if (!troubles.Excuses("paymentwall-proxy:body", seen.SentAt, seen.ReceivedAt))
            {
                found.Add("wrong price", "Paymentwall did not say that.");
            }

            return;
        }

        using var json = JsonDocument.Parse(text);
        var minor = long.Parse(json.RootElement.GetProperty("amount").GetString()!.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        if (!prices.TryDecode(minor, out var ofCountry, out var ofSku, out var number) || ofCountry != country || ofSku != sku
            || prices.Find(country, sku, number) is not var (version, until) || version.From > seen.ReceivedAt + ClockError || until < seen.SentAt - ClockError)
        {
            found.Add("wrong price", $"The proxied price of {sku} in {country} is {minor}, which is not what was true then.");
        }
    }

    private bool IsWarm(Observation seen, string instance, WarmthLedger.Part part) => warmth.WarmSince(instance, part, seen.SentAt) is not null;

    /// <summary>That a SKU is not sold is kept for a shorter time than a price: one that was not sold since is not taken for warm.</summary>
    private bool IsPriceWarm(Observation seen, string instance, string country, string sku) =>
        warmth.WarmSince(instance, PricePart(country, sku), seen.SentAt) is { } since
        && !(prices.LastMissing(country, sku, seen.ReceivedAt) >= since - SoakBounds.FreshFor - SoakBounds.Refresh - SoakBounds.Slack);

    /// <summary>The price, and what follows a trial.</summary>
    private bool IsCompleteAndFresh(Observation seen, string instance, string country, string sku) =>
        IsPriceWarm(seen, instance, country, sku) && (PriceLedger.Follower(sku) is not { } next || IsPriceWarm(seen, instance, country, next));

    private static WarmthLedger.Part Listing(CatalogAsk ask, string product) => new("components", product, $"{ask.Lang}|{ask.Sandbox}");

    private static WarmthLedger.Part PricePart(string country, string sku) => new("price", sku, country);

    /// <summary>An incomplete answer is reused for 5 s.</summary>
    private static DateTimeOffset Earlier(Observation seen) => seen.SentAt - TimeSpan.FromSeconds(5);

    private static byte[] Plain(Observation seen)
    {
        using var wire = new MemoryStream(seen.Body);
        using Stream plain = seen.Header("content-encoding") switch
        {
            "gzip" => new GZipStream(wire, CompressionMode.Decompress),
            "br" => new BrotliStream(wire, CompressionMode.Decompress),
            _ => wire,
        };
        using var all = new MemoryStream();
        plain.CopyTo(all);
        return all.ToArray();
    }

    /// <summary>What was found wrong with one answer.</summary>
    private sealed class Findings(Observation seen)
    {
        private readonly List<Violation> _all = [];

        public IReadOnlyList<Violation> All => _all;

        public void Add(string promise, string what) => _all.Add(new Violation(
            seen.ReceivedAt, promise, what,
            $"{seen.Request.Method} {seen.Request.Path} ({seen.Request.Encoding}{(seen.Request.IfNoneMatch is null ? "" : ", If-None-Match " + seen.Request.IfNoneMatch)}), sent {seen.SentAt:HH:mm:ss.fff}, {seen.Instance ?? "?"}",
            Excerpt()));

        private string Excerpt()
        {
            try
            {
                var text = $"{seen.Status} {Encoding.UTF8.GetString(Plain(seen))}";
                return text.Length <= ExcerptLength ? text : text[..ExcerptLength] + "…";
            }
            catch (Exception exception) when (exception is InvalidDataException or InvalidOperationException)
            {
                return $"{seen.Status}, undecodable body of {seen.Body.Length} bytes";
            }
        }
    }
}
