using Microsoft.Extensions.Options;

namespace Gateway.Admission;

internal sealed class AdmissionOptionsValidator : IValidateOptions<AdmissionOptions>
{
    public ValidateOptionsResult Validate(string? name, AdmissionOptions options) => options.MaxConcurrentRequests is >= 1 and <= 100_000
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail($"Security:MaxConcurrentRequests: {options.MaxConcurrentRequests} is outside 1 to 100000.");
}
