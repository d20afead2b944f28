using Microsoft.Extensions.Options;

namespace Gateway.Upstreams.Billing;

internal sealed class BillingOptionsValidator : IValidateOptions<BillingOptions>
{
    public ValidateOptionsResult Validate(string? name, BillingOptions options)
    {
        var errors = options.Errors(BillingOptions.Section).ToList();
        if (options.LanguageParameter.Length == 0 || !options.LanguageParameter.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
        {
            errors.Add("Billing:LanguageParameter: must be a plain parameter name, such as lang_iso_code.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
