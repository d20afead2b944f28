using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching;

internal sealed class RedisOptionsValidator : IValidateOptions<RedisOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisOptions options)
    {
        var errors = new List<string>();
        if (options.ConnectionString.Length > 0 && !IsConnectionString(options.ConnectionString))
        {
            // Not repeated: it may carry a password.
            errors.Add("Redis:ConnectionString: is not a connection string; write host:port, with options after commas, such as redis:6379,ssl=true.");
        }

        if (options.KeyPrefix.Length is 0 or > 64 || !options.KeyPrefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':'))
        {
            errors.Add("Redis:KeyPrefix: must be 1 to 64 letters, digits or . _ - : characters.");
        }

        if (options.OperationTimeout < TimeSpan.FromMilliseconds(10) || options.OperationTimeout > TimeSpan.FromSeconds(5))
        {
            errors.Add($"Redis:OperationTimeout: {options.OperationTimeout} is outside 00:00:00.010 to 00:00:05.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static bool IsConnectionString(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count > 0;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }
}
