using Microsoft.Extensions.Options;

namespace Gateway.Caching;

internal sealed class CacheOptionsValidator : IValidateOptions<CacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CacheOptions options)
    {
        var errors = new List<string>();
        if (options.FreshFor < TimeSpan.FromSeconds(1) || options.FreshFor > TimeSpan.FromHours(1))
        {
            errors.Add($"Catalog:FreshFor: {options.FreshFor} is outside 00:00:01 to 01:00:00.");
        }

        if (options.StaleFor < TimeSpan.Zero || options.StaleFor > TimeSpan.FromDays(7))
        {
            errors.Add($"Catalog:StaleFor: {options.StaleFor} is outside 00:00:00 to 7.00:00:00.");
        }

        if (options.NotFoundFor < TimeSpan.FromSeconds(1) || options.NotFoundFor > TimeSpan.FromHours(1))
        {
            errors.Add($"Catalog:NotFoundFor: {options.NotFoundFor} is outside 00:00:01 to 01:00:00.");
        }

        if (options.MemoryLimit < 1024 * 1024 || options.MemoryLimit > 8L * 1024 * 1024 * 1024)
        {
            errors.Add($"Catalog:MemoryLimit: {options.MemoryLimit} is outside 1048576 (1 MiB) to 8589934592 (8 GiB); it is a number of bytes.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
