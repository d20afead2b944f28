using System.Text.Json.Serialization;
using Gateway.Upstreams.Billing;

namespace Gateway.Catalog;

/// <summary>A catalog request, read, checked and normalised: two that mean the same are equal in what they ask for.</summary>
internal sealed record CatalogRequest
{
    /// <summary>The status that everybody may ask for.</summary>
    public const string PublicStatus = "active";

    /// <summary>Distinct, in the order asked for.</summary>
    public required IReadOnlyList<string> Products { get; init; }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public required string Country { get; init; }

    public required CountrySource CountrySource { get; init; }

    /// <summary>Two letters, or null to leave the language to Billing.</summary>
    public string? Language { get; init; }

    /// <summary>Component types to keep; empty keeps all.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Billing period units to keep; empty keeps all.</summary>
    public IReadOnlyList<string> Periods { get; init; } = [];

    public string Status { get; init; } = PublicStatus;

    public bool Sandbox { get; init; }

    public PriceMode Prices { get; init; } = PriceMode.Prefer;

    /// <summary>Query parameters that there are none of; the answer names them, so they make another one.</summary>
    public IReadOnlyList<string> IgnoredParameters { get; init; } = [];

    /// <summary>Must not be kept by a shared cache: test data, or what anonymous callers may not ask for.</summary>
    public bool IsPrivate => Sandbox || Status != PublicStatus;

    /// <summary>The same for requests that mean the same. No part can contain the separator.</summary>
    public string Key => field ??= string.Join(
        '|', "answer", string.Join(',', Products), Country, CountrySource, Language, string.Join(',', Types), string.Join(',', Periods), Status, Sandbox, Prices,
        string.Join(',', IgnoredParameters.Select(Uri.EscapeDataString)));

    public bool Selects(BillingComponent component) =>
        (Types.Count == 0 || (component.Type is { } type && Types.Contains(type)))
        && (Periods.Count == 0 || (component.BillingPeriod is { } period && Periods.Contains(period.Unit)));
}

/// <summary>Where the country came from.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CountrySource>))]
internal enum CountrySource
{
    [JsonStringEnumMemberName("query")]
    Query,

    [JsonStringEnumMemberName("header")]
    Header,

    [JsonStringEnumMemberName("default")]
    Default,
}

/// <summary>What a missing price means to the caller.</summary>
internal enum PriceMode
{
    /// <summary>Answer without it and say why.</summary>
    Prefer,

    /// <summary>Then rather no answer.</summary>
    Required,

    /// <summary>Prices are not wanted.</summary>
    Skip,
}
