using System.Text.RegularExpressions;
using Gateway.Configuration;
using Gateway.Iso;
using Gateway.Upstreams.Billing;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

/// <summary>The operator's rules about components, made ready once: SKU, list price's currency, overlay.</summary>
internal sealed partial class CatalogRules
{
    private readonly CatalogOptions _options;
    private readonly SkuTemplate _skuTemplate;
    private readonly Regex _currencyPattern;

    public CatalogRules(IOptions<CatalogOptions> options)
    {
        _options = options.Value;
        _skuTemplate = SkuTemplate.TryParse(_options.SkuTemplate, out var template)
            ? template
            : throw new InvalidOperationException("Catalog:SkuTemplate was not validated.");
        _currencyPattern = CurrencyPattern(_options.ListPriceCurrencyPattern);
    }

    /// <summary>The Paymentwall SKU of a component, or null if it has none.</summary>
    public string? SkuOf(BillingComponent component) =>
        _options.SkuMap.TryGetValue(component.Id, out var mapped)
            ? (string.IsNullOrEmpty(mapped) ? null : mapped)
            : _skuTemplate.Apply(component);

    /// <summary>
    /// The currency of the list price: Billing's own word, known or not, else the first known one that the pattern finds in the id;
    /// null if neither names one.
    /// </summary>
    public string? ListPriceCurrencyOf(BillingComponent component)
    {
        if (!string.IsNullOrEmpty(component.Currency))
        {
            return component.Currency.Length == 3 && component.Currency.All(char.IsAsciiLetter) ? component.Currency.ToUpperInvariant() : null;
        }

        // Matches may overlap: in x-PRO-EUR-m the first one takes the dash that the second begins with.
        for (var match = _currencyPattern.Match(component.Id); match.Success; match = _currencyPattern.Match(component.Id, match.Index + 1))
        {
            if (Currency.TryGet(match.Groups["currency"].Value, out var currency))
            {
                return currency.Code;
            }

            if (match.Index + 1 > component.Id.Length)
            {
                break;
            }
        }

        return null;
    }

    public CatalogOverlay OverlayOf(BillingComponent component)
    {
        var byGroup = component.GroupId is { } group ? _options.Overlay.GetValueOrDefault(group) : null;
        var byId = _options.Overlay.GetValueOrDefault(component.Id);
        return new CatalogOverlay
        {
            Name = byId?.Name ?? byGroup?.Name,
            Description = byId?.Description ?? byGroup?.Description,
            Features = byId?.Features ?? byGroup?.Features,
        };
    }

    /// <summary>Without backtracking, whatever an operator writes. The default has no need of it, and is compiled with the rest.</summary>
    internal static Regex CurrencyPattern(string pattern) => pattern == CatalogOptions.DefaultCurrencyPattern
        ? DefaultCurrencyPattern()
        : new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    [GeneratedRegex(CatalogOptions.DefaultCurrencyPattern, RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DefaultCurrencyPattern();
}
