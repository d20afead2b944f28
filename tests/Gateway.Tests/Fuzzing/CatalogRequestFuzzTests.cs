using System.Security.Claims;
using System.Text.Json;
using Gateway.Catalog;
using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Iso;
using Gateway.Tests.Configuration;
using Gateway.Tests.Problems;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Fuzzing;

public sealed class CatalogRequestFuzzTests
{
    private const string CountryHeader = "CF-IPCountry";

    private static readonly string[] Words =
    [
        "product=", "country=", "lang=", "type=", "period=", "status=", "sandbox=", "prices=", "&", "=", ",", "%2C", "PRODUCT=", "Country=", "plan", "addon", "charge",
        "day", "week", "month", "year", "active", "true", "false", "TRUE", "prefer", "required", "skip", "US", "jp", "XX", "T1", "en", "EN", "%C3%A9", "+", "%20", ".", "..",
        "\nfalse", "\ntrue\nDE", "\n\nfr\nproxy", "%7C", "|", "unknown=1", "contry=", "utm_source=", "product[]=", "%70roduct=",
    ];

    /// <summary>By key, every question that was accepted: two that differ never share one.</summary>
    private readonly Dictionary<string, string> _byKey = new(StringComparer.Ordinal);

    private readonly CatalogRequestParser _reader = new(
        Fixed.Options(new CatalogOptions { MaxProducts = 5 }),
        new CustomerCountry(Fixed.Options(new CatalogOptions { DefaultCountry = "fr", CountryHeader = CountryHeader })));

    /// <summary>A case is a query and, on further lines, the headers <c>sandbox</c> and the country's, and a role.</summary>
    [Fact]
    [Trait(FuzzRun.Trait, FuzzRun.Target)]
    public Task A_query_is_the_question_that_a_naive_reading_finds_or_an_error_that_names_a_wrong_parameter() => FuzzRun.OfTextAsync("query", Words, async text =>
    {
        var context = Context(text);
        var (expected, wrong) = Naive(context);

        var problem = _reader.Parse(context.Request, productId: null, out var question);

        if (problem is not null)
        {
            Assert.Null(question);
            var (response, json) = await problem.WriteAsync();
            if (response.StatusCode == 401)
            {
                Assert.Equal("unauthenticated", json.GetProperty("code").GetString());
                Assert.Empty(wrong);
                Assert.NotEqual("active", expected.Status);
                Assert.False(context.User.IsInRole(Roles.Proxy));
                return false;
            }

            Assert.Equal((400, "invalidParameter"), (response.StatusCode, json.GetProperty("code").GetString()));
            Assert.Contains(json.GetProperty("parameter").GetString(), wrong.Select(AsWritten));
            return false;
        }

        Assert.Empty(wrong);
        Assert.Equal(Text(expected), Text(question!));
        Assert.True(question!.Status == "active" || context.User.IsInRole(Roles.Proxy));

        // Written down in one way and read again it is the same question.
        var again = Context(Canonical(question));
        again.User = context.User;
        Assert.Null(_reader.Parse(again.Request, productId: null, out var second));
        Assert.Equal((question with { CountrySource = CountrySource.Query }).Key, second!.Key);

        if (_byKey.TryGetValue(question.Key, out var known))
        {
            Assert.Equal(known, Text(question));
        }
        else if (_byKey.Count < 50_000)
        {
            _byKey.Add(question.Key, Text(question));
        }

        return true;
    });

    private static DefaultHttpContext Context(string text)
    {
        var lines = text.Split('\n', 4);
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString("?" + lines[0]);
        if (lines.Length > 1 && lines[1].Length > 0)
        {
            context.Request.Headers["sandbox"] = lines[1];
        }

        if (lines.Length > 2)
        {
            context.Request.Headers[CountryHeader] = lines[2];
        }

        if (lines.Length > 3 && lines[3] == Roles.Proxy)
        {
            context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Role, Roles.Proxy)], "test"));
        }

        return context;
    }

    private static string Canonical(CatalogRequest question) => string.Join('&',
        [
            .. question.Products.Select(product => "product=" + product),
            "country=" + question.Country,
            .. question.Language is { } language ? new[] { "lang=" + language } : [],
            .. question.Types.Reverse().Select(type => "type=" + type),
            .. question.Periods.Reverse().Select(period => "period=" + period),
            "status=" + question.Status,
            "sandbox=" + (question.Sandbox ? "true" : "false"),
            "prices=" + question.Prices.ToString().ToLowerInvariant(),
            .. question.IgnoredParameters.Reverse().Select(name => Uri.EscapeDataString(name)),
        ]);

    private static string Text(CatalogRequest question) => JsonSerializer.Serialize(question with { });

    /// <summary>The contract's table, parameter by parameter, and all that is wrong instead of the first.</summary>
    private static (CatalogRequest Question, List<string> Wrong) Naive(HttpContext context)
    {
        var query = NaiveQuery.Parse(context.Request.QueryString.Value![1..]);
        var wrong = new List<string>();
        string[] known = ["product", "country", "lang", "type", "period", "status", "sandbox", "prices"];
        var unknown = query.Select(pair => pair.Key).Where(name => name.Length > 0 && !known.Contains(name, StringComparer.OrdinalIgnoreCase)).ToList();
        wrong.AddRange(unknown.Where(name => known.Any(one => Mistakes(name.ToUpperInvariant(), one.ToUpperInvariant()) <= (one.Length < 6 ? 1 : 2))).Select(Cut));
        var products = query.Values("product").SelectMany(value => value.Split(',')).Distinct().ToList();
        if (products.Count is 0 or > 5 || products.Any(product => product.Length is 0 or > 128 || product is "." or ".." || product.Any(c => !IsIdCharacter(c))))
        {
            wrong.Add("product");
        }

        var (country, source) = ("FR", CountrySource.Default);
        if (context.Request.Headers[CountryHeader].ToString() is var header && IsCountry(header))
        {
            (country, source) = (Upper(header), CountrySource.Header);
        }

        if (Single("country", IsCountry) is { } asked)
        {
            (country, source) = (Upper(asked), CountrySource.Query);
        }

        var sandbox = query.Values("sandbox").Length > 0
            ? Single("sandbox", value => value is "true" or "false")
            : context.Request.Headers["sandbox"].ToString() is { Length: > 0 } value ? Check("sandbox", value, text => text is "true" or "false") : null;
        var question = new CatalogRequest
        {
            Products = products,
            Country = country,
            CountrySource = source,
            Language = Single("lang", text => text.Length == 2 && text.All(c => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z') && LanguageCode.All.Contains(Lower(text))) is { } language ? Lower(language) : null,
            Types = Set("type", ["plan", "addon", "charge"]),
            Periods = Set("period", ["day", "week", "month", "year"]),
            Status = Single("status", text => text.Length <= 32 && text.All(c => c is >= 'a' and <= 'z' or '_')) ?? "active",
            Sandbox = sandbox == "true",
            Prices = Single("prices", text => text is "prefer" or "required" or "skip") switch { "required" => PriceMode.Required, "skip" => PriceMode.Skip, _ => PriceMode.Prefer },
            IgnoredParameters = [.. unknown.Select(name => Cut(name.ToLowerInvariant())).Distinct().Order(StringComparer.Ordinal).Take(10)],
        };
        return (question, wrong);

        string? Single(string name, Func<string, bool> allowed) => query.Values(name) switch
        {
            [] => null,
            [var only] => Check(name, only, allowed),
            _ => Check(name, string.Empty, allowed),
        };

        string? Check(string name, string text, Func<string, bool> allowed)
        {
            if (text.Length > 0 && allowed(text))
            {
                return text;
            }

            wrong.Add(name);
            return null;
        }

        string[] Set(string name, string[] all)
        {
            var named = query.Values(name).SelectMany(value => value.Split(',')).ToList();
            if (named.Any(value => !all.Contains(value)))
            {
                wrong.Add(name);
            }

            return [.. all.Where(named.Contains)];
        }
    }

    /// <summary>Half a surrogate pair cannot be written.</summary>
    private static string AsWritten(string text) => JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(text))!;

    private static string Cut(string name) => name.Length <= 64 ? name : name[..(char.IsHighSurrogate(name[63]) ? 63 : 64)];

    /// <summary>How many letters have to be put in, taken out, replaced or swapped with their neighbour.</summary>
    private static int Mistakes(string from, string to)
    {
        var table = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                table[i, j] = i == 0 || j == 0 ? i + j
                    : new[]
                    {
                        table[i - 1, j] + 1,
                        table[i, j - 1] + 1,
                        table[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1),
                        i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] ? table[i - 2, j - 2] + 1 : int.MaxValue,
                    }.Min();
            }
        }

        return table[from.Length, to.Length];
    }

    private static bool IsIdCharacter(char c) => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' or '.' or '_' or '-';

    private static bool IsCountry(string text) =>
        text.Length == 2 && text.All(c => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z') && CountryCode.TryParse(Upper(text), out _);

    private static string Upper(string text) => string.Concat(text.Select(c => c is >= 'a' and <= 'z' ? (char)(c - 32) : c));

    private static string Lower(string text) => string.Concat(text.Select(c => c is >= 'A' and <= 'Z' ? (char)(c + 32) : c));
}
