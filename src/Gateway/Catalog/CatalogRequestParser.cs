using Gateway.Configuration;
using Gateway.Customer;
using Gateway.Iso;
using Gateway.Problems;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Gateway.Catalog;

/// <summary>Parses a request into a <see cref="CatalogRequest"/>, or into the problem that says which parameter is wrong.</summary>
internal sealed class CatalogRequestParser(IOptions<CatalogOptions> options, CustomerCountry customerCountry)
{
    /// <summary>Of ignored parameters, so that an answer does not grow with what it was asked.</summary>
    private const int MostIgnored = 10, LongestIgnored = 64;

    private static readonly string[] Names = [.. CatalogParameter.All.Select(parameter => parameter.Name)];

    /// <param name="request">What is asked.</param>
    /// <param name="productId">The product of the route, where it names one; then <c>product</c> is ignored.</param>
    /// <param name="catalogRequest">Set if the request is sound.</param>
    /// <returns>Null, or the problem to answer with.</returns>
    public ProblemResult? Parse(HttpRequest request, string? productId, out CatalogRequest? catalogRequest)
    {
        catalogRequest = null;
        if (ReadUnknown(request.Query, out var ignored) is { } unknown)
        {
            return unknown;
        }

        if (ReadProducts(request.Query, productId, out var products) is { } badProduct)
        {
            return badProduct;
        }

        if (ReadCountry(request, out var country, out var source) is { } badCountry)
        {
            return badCountry;
        }

        if (ReadSingle(request.Query, CatalogParameter.Language, text => text.All(char.IsAsciiLetter) && Languages.Contains(text.ToLowerInvariant()), out var language) is { } badLanguage)
        {
            return badLanguage;
        }

        if (ReadSet(request.Query, CatalogParameter.Type, out var types) is { } badType)
        {
            return badType;
        }

        if (ReadSet(request.Query, CatalogParameter.Period, out var periods) is { } badPeriod)
        {
            return badPeriod;
        }

        if (ReadSingle(request.Query, CatalogParameter.Status, IsStatus, out var status) is { } badStatus)
        {
            return badStatus;
        }

        if (ReadSandbox(request, out var sandbox) is { } badSandbox)
        {
            return badSandbox;
        }

        if (ReadSingle(request.Query, CatalogParameter.Prices, CatalogParameter.Prices.Values!.Contains, out var prices) is { } badPrices)
        {
            return badPrices;
        }

        if (status is not (null or CatalogRequest.PublicStatus) && !request.HttpContext.User.IsInRole(Roles.Proxy))
        {
            return new ProblemResult(
                request.HttpContext.User.Identity is { IsAuthenticated: true } ? Problem.Forbidden : Problem.Unauthenticated,
                "status: only active may be asked for without an API key that has the role proxy.");
        }

        catalogRequest = new CatalogRequest
        {
            Products = products,
            Country = country,
            CountrySource = source,
            Language = language?.ToLowerInvariant(),
            Types = types,
            Periods = periods,
            Status = status ?? CatalogRequest.PublicStatus,
            Sandbox = sandbox,
            Prices = prices switch
            {
                "required" => PriceMode.Required,
                "skip" => PriceMode.Skip,
                _ => PriceMode.Prefer,
            },
            IgnoredParameters = ignored,
        };
        return null;
    }

    private IReadOnlyCollection<string> Languages => options.Value.Languages.Count > 0 ? options.Value.Languages : LanguageCode.All;

    private static bool IsStatus(string text) => text.Length <= 32 && text.All(c => char.IsAsciiLetterLower(c) || c == '_');

    private ProblemResult? ReadUnknown(IQueryCollection query, out IReadOnlyList<string> ignored)
    {
        ignored = [];
        var mode = options.Value.UnknownParameters;
        if (mode == UnknownParameters.Ignore)
        {
            return null;
        }

        string[] unknown = [.. query.Keys.Where(name => name.Length > 0 && !Names.Contains(name, StringComparer.OrdinalIgnoreCase))];
        foreach (var name in unknown)
        {
            var nearest = Spelling.Nearest(name, Names);
            if (nearest is not null || mode == UnknownParameters.Reject)
            {
                return Invalid(Cut(name), "is not a parameter" + Spelling.Hint(nearest), string.Join(", ", Names));
            }
        }

        // The server does not tell the case of names apart.
        ignored = [.. unknown.Select(name => Cut(name.ToLowerInvariant())).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Take(MostIgnored)];
        return null;

        static string Cut(string name) => name.Length <= LongestIgnored ? name : name[..(char.IsHighSurrogate(name[LongestIgnored - 1]) ? LongestIgnored - 1 : LongestIgnored)];
    }

    private ProblemResult? ReadProducts(IQueryCollection query, string? productId, out IReadOnlyList<string> products)
    {
        if (productId is not null)
        {
            products = [productId];
            return ProductId.IsValid(productId) ? null : Invalid("productId", "is not a product id", ProductId.Allowed);
        }

        products = [.. options.Value.Products.Distinct(StringComparer.Ordinal)];
        var parameter = CatalogParameter.Product;
        if (!query.TryGetValue(parameter.Name, out var values))
        {
            return products.Count > 0 ? null : Invalid(parameter.Name, "is required: no products are configured to be listed by default", parameter.Allowed);
        }

        products = [.. Split(values).Distinct(StringComparer.Ordinal)];
        if (!products.All(ProductId.IsValid))
        {
            return Invalid(parameter.Name, "is not a list of product ids", parameter.Allowed);
        }

        return products.Count <= options.Value.MaxProducts
            ? null
            : Invalid(parameter.Name, $"names {products.Count} products", $"at most {options.Value.MaxProducts} in one request");
    }

    private ProblemResult? ReadCountry(HttpRequest request, out string country, out CountrySource source)
    {
        (country, var fromHeader) = customerCountry.Of(request.Headers);
        source = fromHeader ? CountrySource.Header : CountrySource.Default;
        if (ReadSingle(request.Query, CatalogParameter.Country, text => CountryCode.TryParse(text, out _), out var asked) is { } problem)
        {
            return CountryCode.Meant(request.Query[CatalogParameter.Country.Name]) is { } meant
                ? Invalid(CatalogParameter.Country.Name, "has a value that is not allowed" + Spelling.Hint(meant), CatalogParameter.Country.Allowed)
                : problem;
        }

        if (asked is not null)
        {
            (country, source) = (asked.ToUpperInvariant(), CountrySource.Query);
        }

        return null;
    }

    private static ProblemResult? ReadSandbox(HttpRequest request, out bool sandbox)
    {
        var parameter = CatalogParameter.Sandbox;
        var problem = ReadSingle(request.Query, parameter, parameter.Values!.Contains, out var text);
        if (problem is null && text is null && request.Headers.TryGetValue(parameter.Name, out var header))
        {
            problem = Check(header, parameter, parameter.Values!.Contains, out text);
        }

        sandbox = text == "true";
        return problem;
    }

    private static ProblemResult? ReadSingle(IQueryCollection query, CatalogParameter parameter, Func<string, bool> isAllowed, out string? value)
    {
        value = null;
        return query.TryGetValue(parameter.Name, out var values) ? Check(values, parameter, isAllowed, out value) : null;
    }

    private static ProblemResult? Check(StringValues values, CatalogParameter parameter, Func<string, bool> isAllowed, out string? value)
    {
        value = null;
        if (values.Count > 1)
        {
            return Invalid(parameter.Name, "is given more than once", parameter.Allowed);
        }

        if (values is not [{ Length: > 0 } only])
        {
            return Invalid(parameter.Name, "is empty", parameter.Allowed);
        }

        if (!isAllowed(only))
        {
            return Invalid(parameter.Name, "has a value that is not allowed", parameter.Allowed);
        }

        value = only;
        return null;
    }

    private static ProblemResult? ReadSet(IQueryCollection query, CatalogParameter parameter, out IReadOnlyList<string> set)
    {
        set = [];
        if (!query.TryGetValue(parameter.Name, out var values))
        {
            return null;
        }

        var asked = Split(values).ToHashSet(StringComparer.Ordinal);
        if (!asked.IsSubsetOf(parameter.Values!))
        {
            return Invalid(parameter.Name, "has a value that is not allowed", parameter.Allowed);
        }

        // In the table's order, so that the order asked in makes no other catalogRequest.
        set = [.. parameter.Values!.Where(asked.Contains)];
        return null;
    }

    private static IEnumerable<string> Split(StringValues values) => values.SelectMany(value => (value ?? string.Empty).Split(','));

    private static ProblemResult Invalid(string parameter, string what, string allowed) =>
        new(Problem.InvalidParameter, $"{parameter} {what}{(what.EndsWith('?') ? string.Empty : ".")} Allowed: {allowed}.", parameter);
}
