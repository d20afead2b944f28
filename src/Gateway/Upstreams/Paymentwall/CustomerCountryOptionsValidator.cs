using Gateway.Iso;
using Microsoft.Extensions.Options;

namespace Gateway.Upstreams.Paymentwall;

internal sealed class CustomerCountryOptionsValidator : IValidateOptions<CustomerCountryOptions>
{
    public ValidateOptionsResult Validate(string? name, CustomerCountryOptions options)
    {
        var errors = new List<string>();
        if (!CountryCode.TryParse(options.DefaultCountry, out _))
        {
            errors.Add("Catalog:DefaultCountry: is required and must be an ISO 3166-1 alpha-2 code, such as US.");
        }

        if (!options.CountryHeader.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            errors.Add("Catalog:CountryHeader: must be a header name, such as CF-IPCountry, or empty.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
