using Microsoft.Extensions.Options;

namespace Gateway.Hosting.Draining;

internal sealed class HostingOptionsValidator : IValidateOptions<HostingOptions>
{
    public ValidateOptionsResult Validate(string? name, HostingOptions options)
    {
        var errors = new List<string>();
        if (options.DrainDelay < TimeSpan.Zero || options.DrainDelay > TimeSpan.FromMinutes(5))
        {
            errors.Add($"Hosting:DrainDelay: {options.DrainDelay} is outside 00:00:00 to 00:05:00.");
        }

        if (options.DrainTimeout < TimeSpan.FromSeconds(1) || options.DrainTimeout > TimeSpan.FromMinutes(10))
        {
            errors.Add($"Hosting:DrainTimeout: {options.DrainTimeout} is outside 00:00:01 to 00:10:00.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
