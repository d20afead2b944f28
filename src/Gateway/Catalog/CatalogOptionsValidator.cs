using System.Text.RegularExpressions;
using Gateway.Configuration;
using Gateway.Iso;
using Gateway.Upstreams;
using Gateway.Upstreams.Billing;
using Gateway.Upstreams.Paymentwall;
using Microsoft.Extensions.Options;

namespace Gateway.Catalog;

internal sealed class CatalogOptionsValidator(IOptions<BillingOptions> billing, IOptions<PaymentwallOptions> paymentwall)
    : IValidateOptions<CatalogOptions>
{
    public ValidateOptionsResult Validate(string? name, CatalogOptions options)
    {
        var errors = new List<string>();
        if (!CountryCode.TryParse(options.DefaultCountry, out _))
        {
            errors.Add(CountryCode.Meant(options.DefaultCountry) is { } meant
                ? $"Catalog:DefaultCountry: is not an ISO 3166-1 alpha-2 code{Spelling.Hint(meant)}"
                : "Catalog:DefaultCountry: is required and must be an ISO 3166-1 alpha-2 code, such as US.");
        }

        if (!options.CountryHeader.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            errors.Add("Catalog:CountryHeader: must be a header name, such as CF-IPCountry, or empty.");
        }

        errors.AddRange(options.Products.Where(id => !ProductId.IsValid(id))
            .Select(id => $"Catalog:Products: '{id}' is not a product id ({ProductId.Allowed})."));
        if (options.Products.Count > options.MaxProducts)
        {
            errors.Add($"Catalog:Products: lists {options.Products.Count} products, more than Catalog:MaxProducts ({options.MaxProducts}).");
        }

        errors.AddRange(options.Languages.Where(code => !LanguageCode.All.Contains(code))
            .Select(code => $"Catalog:Languages: '{code}' is not a two-letter ISO 639-1 code in lower case."));

        if (!SkuTemplate.TryParse(options.SkuTemplate, out _))
        {
            errors.Add("Catalog:SkuTemplate: may only use {id}, {productId} and {groupId}, and must use at least one of them.");
        }

        if (!IsCurrencyPattern(options.ListPriceCurrencyPattern))
        {
            errors.Add("Catalog:ListPriceCurrencyPattern: must be a regular expression with a group named currency, without look-arounds or back-references.");
        }

        Contradiction(BillingOptions.Section, billing);
        Contradiction(PaymentwallOptions.Section, paymentwall);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        // A total left at its default is simply cut short by the deadline; only what somebody wrote can contradict.
        void Contradiction<T>(string section, IOptions<T> upstream)
            where T : UpstreamOptions
        {
            try
            {
                var (total, attempt) = (upstream.Value.Timeout, upstream.Value.AttemptTimeout);
                foreach (var (key, time) in new[] { ("Timeout", total), ("AttemptTimeout", attempt) })
                {
                    if (time > options.Deadline)
                    {
                        errors.Add($"{section}:{key} ({time}) is longer than Catalog:Deadline ({options.Deadline}); "
                            + "make the time-out shorter or the deadline longer.");
                    }
                }
            }
            catch (Exception exception) when (exception is OptionsValidationException or InvalidOperationException)
            {
                // That section is wrong in itself and says so itself.
            }
        }
    }

    private static bool IsCurrencyPattern(string pattern)
    {
        try
        {
            return CatalogRules.CurrencyPattern(pattern).GetGroupNames().Contains("currency", StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is RegexParseException or NotSupportedException)
        {
            return false;
        }
    }
}
