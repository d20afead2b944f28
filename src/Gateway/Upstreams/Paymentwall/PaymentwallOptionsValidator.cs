using Microsoft.Extensions.Options;

namespace Gateway.Upstreams.Paymentwall;

internal sealed class PaymentwallOptionsValidator : IValidateOptions<PaymentwallOptions>
{
    public ValidateOptionsResult Validate(string? name, PaymentwallOptions options)
    {
        var errors = options.Errors(PaymentwallOptions.Section).ToList();
        if (string.IsNullOrWhiteSpace(options.ProjectKey))
        {
            errors.Add("Paymentwall:ProjectKey: is required; it is the project key in Paymentwall's merchant area.");
        }

        if (string.IsNullOrWhiteSpace(options.SecretKey))
        {
            errors.Add("Paymentwall:SecretKey: is required; give it by environment or secret file, never in appsettings.json.");
        }

        if (options.SignatureVersion is not (2 or 3))
        {
            errors.Add($"Paymentwall:SignatureVersion: {options.SignatureVersion} is not supported; use 3 (SHA-256) or 2 (MD5).");
        }

        if (options.MaxConcurrency is < 1 or > 1_000)
        {
            errors.Add($"Paymentwall:MaxConcurrency: {options.MaxConcurrency} is outside 1 to 1000.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
