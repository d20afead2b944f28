using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Observability;

internal sealed class RequestLogOptionsValidator : IValidateOptions<RequestLogOptions>
{
    public ValidateOptionsResult Validate(string? name, RequestLogOptions options) => options.WarmRequestLogSampling is >= 0 and <= 1
        ? ValidateOptionsResult.Success
        : ValidateOptionsResult.Fail("Hosting:WarmRequestLogSampling: must be a share from 0 (none) to 1 (all), such as 0.01.");
}
