namespace Gateway.Catalog;

/// <summary>One query parameter of the catalog: what the reader enforces, a 400 explains and Swagger shows.</summary>
/// <param name="Name">Its name in the query.</param>
/// <param name="Allowed">The allowed values, in words.</param>
/// <param name="Description">What it does.</param>
/// <param name="Example">A value that works under <c>./dev run</c>.</param>
/// <param name="Values">The allowed values, where they can be listed.</param>
/// <param name="IsList">Repeatable and comma separated.</param>
internal sealed record CatalogParameter(
    string Name, string Allowed, string Description, string? Example = null, IReadOnlyList<string>? Values = null, bool IsList = false)
{
    public static readonly CatalogParameter Product = new(
        "product",
        "Billing product ids, comma separated or repeated, each " + ProductId.Allowed,
        "Billing products to list, in this order; duplicates are dropped. Absent: the configured `Catalog:Products`.",
        "builtfor_example",
        IsList: true);

    public static readonly CatalogParameter Country = new(
        "country",
        "an ISO 3166-1 alpha-2 code, such as US, in any case",
        "Country of the customer, for prices. Absent: the configured CDN header, else `Catalog:DefaultCountry`; never the caller's address.",
        "JP");

    public static readonly CatalogParameter Language = new(
        "lang",
        "a two-letter language code, such as en, that is among the configured `Catalog:Languages`",
        "Language for Billing. Absent: Billing's own choice.",
        "en");

    public static readonly CatalogParameter Type = new(
        "type", "plan, addon, charge, comma separated", "Keeps only these types of component.", null, ["plan", "addon", "charge"], IsList: true);

    public static readonly CatalogParameter Period = new(
        "period", "day, week, month, year, comma separated", "Keeps only components billed by these units.", null, Iso.Period.Units, IsList: true);

    public static readonly CatalogParameter Status = new(
        "status",
        "1 to 32 lowercase letters or underscores",
        "Billing status. Only `active` (the default) without an API key that has the role `proxy`.");

    public static readonly CatalogParameter Sandbox = new(
        "sandbox",
        "true or false",
        "Billing's sandbox data. The request header `sandbox` does the same; the query wins.",
        null,
        ["true", "false"]);

    public static readonly CatalogParameter Prices = new(
        "prices",
        "prefer, required or skip",
        "`prefer` (default): an item whose price is missing stays and says why. `required`: 503 if any price is unavailable. `skip`: Paymentwall is not asked.",
        null,
        ["prefer", "required", "skip"]);

    public static IReadOnlyList<CatalogParameter> All { get; } = [Product, Country, Language, Type, Period, Status, Sandbox, Prices];
}
